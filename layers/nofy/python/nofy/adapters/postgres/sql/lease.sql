-- The guard. Rows are locked in id order, so that two consumers cannot deadlock; a row whose fence does not hold
-- any more (cancelled, moved, doubled) falls away. READ COMMITTED looks at the row again after waiting for it.
WITH wanted AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[], %(dispatched_ats)s::timestamptz[]
    ) AS w (id, attempt_no, due_at, dispatched_at)
), locked AS (
    SELECT d.id, w.dispatched_at
    FROM deliveries d
    JOIN wanted w ON w.id = d.id
    WHERE d.id = ANY (%(ids)s::uuid[]) AND d.attempt_no = w.attempt_no AND d.due_at = w.due_at AND d.status IN ('scheduled', 'queued', 'retrying')
    ORDER BY d.id
    FOR UPDATE OF d
), sending AS (
    UPDATE deliveries d
    SET status = 'sending', changed_at = clock_timestamp()
    FROM (SELECT DISTINCT ON (id) id, dispatched_at FROM locked) AS l
    WHERE d.id = l.id
    RETURNING d.*, l.dispatched_at
), begun AS (
    INSERT INTO attempts (
        delivery_id, attempt_no, due_at, dispatched_at, leased_at, lease_until, credential_version, redrive_no
    )
    SELECT s.id, s.attempt_no, s.due_at, s.dispatched_at, clock_timestamp(),
        clock_timestamp() + make_interval(secs => %(seconds)s), i.credential_version,
        s.redrive_no
    FROM sending s
    JOIN integrations i ON i.id = s.integration_id
    ON CONFLICT DO NOTHING
    RETURNING delivery_id
)
SELECT s.id, s.attempt_no, s.due_at, s.project_id, s.notification_id, s.integration_id, s.channel, s.provider,
    s.priority, s.destination, s.content, i.settings, i.credential, i.credential_version, s.delivery_mode,
    s.expires_at, s.spent, s.redrive_no, s.live,
    -- Since when a call under this idempotency key may have been taken without our knowing. Who was never tried before
    -- is not looked for in every week's attempts.
    CASE WHEN s.attempt_no > 1 THEN (
        SELECT min(a.leased_at) FROM attempts a
        WHERE a.delivery_id = s.id AND a.redrive_no = s.redrive_no AND a.report ->> 'outcome' = 'unknown'
    ) END
FROM sending s
JOIN integrations i ON i.id = s.integration_id
-- Not a join, and not a bare IN, which would become one: the planner expects one row of a batch, and would compare each
-- of five hundred with each (half of the statement's time, measured). A condition like this one is looked up by hash.
WHERE (s.id IN (SELECT delivery_id FROM begun)) IS TRUE
