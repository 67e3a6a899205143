SELECT l.id, l.reason, l.fingerprint, l.attempt_no, l.created_at, l.redriven_at, l.discarded_at, l.discard_reason,
    (
        SELECT p.id FROM dead_letters p
        WHERE p.kind = 'delivery' AND p.delivery_id = l.delivery_id AND p.attempt_no < l.attempt_no
        ORDER BY p.attempt_no DESC
        LIMIT 1
    ) AS previous,
    d.id, d.notification_id, d.channel, d.destination, d.redrive_no, d.status
FROM dead_letters l
JOIN deliveries d ON d.id = l.delivery_id
WHERE /* filter */
    AND (%(before)s::uuid IS NULL OR l.id < %(before)s)
ORDER BY l.id DESC
LIMIT %(limit)s
