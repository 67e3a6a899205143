-- Nobody mended the integration in time.
WITH over AS (
    SELECT id FROM deliveries
    WHERE status = 'held' AND expires_at <= clock_timestamp()
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE deliveries d
    SET status = 'expired', changed_at = clock_timestamp(), reason = 'expired while its integration was held'
    FROM over
    WHERE d.id = over.id
    RETURNING d.id, d.project_id, d.live, d.channel, d.changed_at
), counted AS MATERIALIZED (
    SELECT nofy_count(array_agg(ROW(project_id, live, channel, 'expired', changed_at, NULL)::nofy_event)) AS cells
    FROM ended
)
SELECT id FROM ended WHERE (SELECT cells FROM counted) IS NOT NULL
