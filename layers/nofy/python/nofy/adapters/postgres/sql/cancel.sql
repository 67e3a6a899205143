-- Whoever locks the row first wins: the consumer's lease (then it is being sent) or this. Never both.
WITH stopped AS (
    UPDATE deliveries d
    SET status = 'cancelled', changed_at = clock_timestamp(), reason = 'cancelled by its sender'
    WHERE d.notification_id = %(notification_id)s AND d.live = %(live)s
        AND d.status IN ('scheduled', 'retrying', 'queued', 'held')
    RETURNING d.channel, d.priority, d.id, d.due_at, d.project_id, d.live, d.changed_at
), counted AS MATERIALIZED (
    SELECT nofy_count(array_agg(ROW(project_id, live, channel, 'cancelled', changed_at, NULL)::nofy_event)) AS cells
    FROM stopped
)
SELECT channel, priority, project_id, id, due_at FROM stopped WHERE (SELECT cells FROM counted) IS NOT NULL
