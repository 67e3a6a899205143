SELECT d.notification_id AS id, d.live, d.priority, d.status, d.channel
FROM deliveries d
WHERE d.project_id = %(project_id)s
    AND (%(recipient)s::text IS NULL OR d.destination = %(recipient)s)
    AND (%(recipient)s::text IS NOT NULL OR d.status = %(status)s)
    AND (%(before)s::uuid IS NULL OR d.notification_id < %(before)s)
    AND (%(since)s::uuid IS NULL OR d.notification_id >= %(since)s)
ORDER BY d.notification_id DESC
LIMIT %(budget)s
