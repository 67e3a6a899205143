WITH released AS (
    SELECT d.id
    FROM deliveries d
    JOIN integrations i ON i.id = d.integration_id
    WHERE d.status = 'held' AND i.held_version IS DISTINCT FROM i.credential_version
    ORDER BY d.id
    LIMIT %(limit)s
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d
SET status = 'scheduled', changed_at = clock_timestamp(),
    history = d.history || jsonb_build_object('event', 'released', 'at', clock_timestamp())
FROM released r
WHERE d.id = r.id
RETURNING d.channel, d.priority, d.project_id, d.id, d.due_at
