-- A person sends it again: the policy starts afresh (spent), the fence and the provider's idempotency key are new.
-- What is meant is found without a lock, then locked in the deliveries' order, as everybody locks them (each delivery
-- before its letter), and looked at again: of two people who redrive a letter one does. A letter tells of its delivery's end as long as their attempts
-- are the same.
WITH meant AS (
    SELECT l.id, l.delivery_id
    FROM dead_letters l
    JOIN deliveries d ON d.id = l.delivery_id
    WHERE /* filter */
        AND l.redriven_at IS NULL AND l.discarded_at IS NULL
        AND d.status IN ('failed', 'unknown', 'undelivered') AND d.attempt_no = l.attempt_no
        AND (NOT %(skip_expired)s OR d.expires_at > clock_timestamp())
    ORDER BY l.id
    LIMIT %(limit)s
), ended AS (
    -- Not in one list with their letters: a partition's lock would come last.
    SELECT d.id, d.attempt_no
    FROM meant m
    JOIN deliveries d ON d.id = m.delivery_id
    WHERE d.status IN ('failed', 'unknown', 'undelivered')
    ORDER BY d.id
    FOR UPDATE OF d
), locked AS (
    SELECT l.id, e.id AS delivery_id
    FROM ended e
    JOIN meant m ON m.delivery_id = e.id
    JOIN dead_letters l ON l.id = m.id
    WHERE l.redriven_at IS NULL AND l.discarded_at IS NULL AND l.attempt_no = e.attempt_no
    ORDER BY l.delivery_id
    FOR UPDATE OF l
), placed AS (
    -- One after the other, so that what broke under a crowd is not met by the same crowd at once.
    SELECT id, delivery_id,
        now() + make_interval(secs => (row_number() OVER (ORDER BY delivery_id) - 1) * %(apart)s) AS due_at
    FROM locked
), redriven AS (
    UPDATE deliveries d
    SET status = 'retrying', attempt_no = d.attempt_no + 1, spent = 0, redrive_no = d.redrive_no + 1,
        due_at = p.due_at, expires_at = greatest(d.expires_at, p.due_at + %(lifetime)s),
        changed_at = clock_timestamp(), reason = NULL,
        destination = coalesce(%(destination)s, d.destination), content = coalesce(%(content)s::jsonb, d.content),
        history = d.history
            || CASE
                WHEN coalesce(%(destination)s, %(content)s) IS NULL THEN '[]'::jsonb
                ELSE jsonb_build_array(jsonb_build_object(
                    'event', 'edited', 'at', clock_timestamp(), 'reason', concat_ws(
                        ', ',
                        CASE WHEN %(destination)s IS NOT NULL THEN 'destination was ' || d.destination END,
                        CASE WHEN %(content)s IS NOT NULL THEN 'another content' END
                    )
                ))
            END
            || jsonb_build_object(
                'event', 'redriven', 'at', clock_timestamp(), 'reason', 'after: ' || coalesce(d.reason, 'failed'),
                'dead_letter', p.id
            )
    FROM placed p
    WHERE d.id = p.delivery_id
    RETURNING d.channel, d.priority, d.id, d.due_at, d.project_id, d.live, d.changed_at
), noted AS (
    UPDATE dead_letters l
    SET redriven_at = clock_timestamp()
    FROM placed p
    WHERE l.id = p.id
), open AS (
    SELECT count(*) AS letters FROM dead_letters l
    WHERE /* filter */
        AND l.redriven_at IS NULL AND l.discarded_at IS NULL
), counted AS MATERIALIZED (
    SELECT nofy_count(array_agg(ROW(project_id, live, channel, 'redriven', changed_at, NULL)::nofy_event)) AS cells
    FROM redriven
)
SELECT o.letters, r.channel, r.priority, r.project_id, r.id, r.due_at
FROM open o
LEFT JOIN redriven r ON true
WHERE (SELECT cells FROM counted) IS NOT NULL
