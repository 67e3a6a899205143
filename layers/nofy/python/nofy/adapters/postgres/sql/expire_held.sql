-- Nobody mended the integration in time.
WITH over AS (
    SELECT id FROM deliveries
    WHERE status = 'held' AND expires_at <= clock_timestamp()
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d
SET status = 'expired', changed_at = clock_timestamp(), reason = 'expired while its integration was held'
FROM over
WHERE d.id = over.id
RETURNING d.id
