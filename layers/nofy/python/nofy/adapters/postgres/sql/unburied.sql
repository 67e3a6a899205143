-- Failed or left as unknown a while ago, and still without a dead letter: its record was lost on the way.
SELECT d.id, d.attempt_no, coalesce(d.reason, d.status)
FROM deliveries d
WHERE d.status IN ('failed', 'unknown') AND d.changed_at < clock_timestamp() - interval '1 minute'
    AND NOT EXISTS (
        SELECT FROM dead_letters l
        WHERE l.kind = 'delivery' AND l.delivery_id = d.id AND l.attempt_no = d.attempt_no
    )
ORDER BY d.changed_at
LIMIT %(limit)s
