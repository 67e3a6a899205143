-- A page of notifications, newest first. A filter on status or channel asks whether any delivery is like that.
SELECT n.id
FROM notifications n
WHERE n.project_id = %(project_id)s AND n.live = %(live)s
    AND (%(before)s::uuid IS NULL OR n.id < %(before)s)
    AND (%(reference)s::text IS NULL OR n.reference = %(reference)s)
    AND (%(tag)s::text IS NULL OR n.tags @> ARRAY[%(tag)s])
    AND (
        (%(status)s::text IS NULL AND %(channel)s::text IS NULL)
        OR EXISTS (
            SELECT FROM deliveries d
            WHERE d.notification_id = n.id
                AND (%(status)s::text IS NULL OR d.status = %(status)s)
                AND (%(channel)s::text IS NULL OR d.channel = %(channel)s)
        )
    )
ORDER BY n.id DESC
LIMIT %(limit)s
