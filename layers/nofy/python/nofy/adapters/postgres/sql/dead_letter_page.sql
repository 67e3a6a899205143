SELECT l.id, l.reason, l.fingerprint, l.attempt_no, l.created_at, l.redriven_at,
    d.id, d.notification_id, d.channel, d.destination, d.status
FROM dead_letters l
JOIN deliveries d ON d.id = l.delivery_id
WHERE l.project_id = %(project_id)s AND d.live = %(live)s
    AND (%(before)s::uuid IS NULL OR l.id < %(before)s)
    AND (%(id)s::uuid IS NULL OR l.id = %(id)s)
    AND (%(fingerprint)s::text IS NULL OR l.fingerprint = %(fingerprint)s)
ORDER BY l.id DESC
LIMIT %(limit)s
