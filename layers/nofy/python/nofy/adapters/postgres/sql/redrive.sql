-- A person sends it again: the policy starts afresh (spent), the fence and the provider's idempotency key are new.
WITH letter AS (
    SELECT l.id, l.delivery_id
    FROM dead_letters l
    WHERE l.id = %(dead_letter_id)s AND l.kind = 'delivery' AND l.redriven_at IS NULL
    FOR UPDATE
), redriven AS (
    UPDATE deliveries d
    SET status = 'retrying', attempt_no = d.attempt_no + 1, spent = 0, redrive_no = d.redrive_no + 1,
        due_at = clock_timestamp(), expires_at = greatest(d.expires_at, clock_timestamp() + %(lifetime)s),
        changed_at = clock_timestamp(), reason = NULL,
        history = d.history || jsonb_build_object(
            'event', 'redriven', 'at', clock_timestamp(), 'reason', 'after: ' || coalesce(d.reason, 'failed')
        )
    FROM letter
    WHERE d.id = letter.delivery_id AND d.live = %(live)s AND d.status IN ('failed', 'unknown', 'undelivered')
    RETURNING d.channel, d.priority, d.id, d.due_at
), noted AS (
    UPDATE dead_letters l
    SET redriven_at = clock_timestamp()
    FROM letter
    WHERE l.id = letter.id AND EXISTS (SELECT FROM redriven)
)
SELECT channel, priority, id, due_at FROM redriven
