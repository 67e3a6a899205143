-- Notifications with their deliveries and attempts; row-level security keeps them within the project. The caller
-- puts the query that finds them inside IN (...).
SELECT n.id, n.class, n.priority, n.live, n.recipient, n.content, n.send_at, n.expires_at, n.delivery_mode,
    n.reference, n.tags, n.metadata, n.created_at,
    d.id, d.channel, d.provider, d.status, d.destination, d.due_at, d.attempt_no, d.spent, d.reason,
    d.provider_message_id, d.changed_at, d.history, CASE WHEN %(whole)s THEN d.content END,
    a.attempt_no, a.due_at, a.dispatched_at, a.leased_at, a.report, a.acknowledged_at
FROM notifications n
JOIN deliveries d ON d.notification_id = n.id
LEFT JOIN attempts a ON a.delivery_id = d.id
WHERE n.id IN (/* ids */) AND n.live = %(live)s
ORDER BY n.id DESC, d.id, a.attempt_no
