-- Only what still waits for its first time can be moved; the fence (due_at) makes every record of the old time void.
WITH moved AS (
    UPDATE deliveries d
    SET due_at = %(send_at)s, expires_at = %(expires_at)s, changed_at = clock_timestamp(),
        history = d.history || jsonb_build_object(
            'event', 'moved', 'at', clock_timestamp(), 'reason', 'from ' || trim('"' FROM to_json(d.due_at)::text)
        )
    WHERE d.notification_id = %(notification_id)s AND d.live = %(live)s AND d.status = 'scheduled'
    RETURNING d.channel, d.priority, d.project_id, d.id, d.due_at
), retold AS (
    UPDATE notifications n
    SET send_at = %(send_at)s, expires_at = %(expires_at)s
    WHERE n.id = %(notification_id)s AND EXISTS (SELECT FROM moved)
)
SELECT channel, priority, project_id, id, due_at FROM moved
