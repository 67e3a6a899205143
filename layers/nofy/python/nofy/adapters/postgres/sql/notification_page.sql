-- A page of notifications, newest first: the candidates, looked at one by one until enough are as asked. A filter on
-- status or channel asks whether any delivery is like that. (A subquery with LIMIT is asked for each candidate by its
-- key, where EXISTS might read all there are at once.)
SELECT c.id
FROM (/* candidates */) AS c
WHERE (%(priority)s::text IS NULL OR c.priority = %(priority)s)
    AND (%(tag)s::text IS NULL OR c.tags @> ARRAY[%(tag)s])
    AND (
        (%(status)s::text IS NULL AND %(channel)s::text IS NULL)
        OR (
            SELECT true FROM deliveries d
            WHERE d.notification_id = c.id
                AND (%(status)s::text IS NULL OR d.status = %(status)s)
                AND (%(channel)s::text IS NULL OR d.channel = %(channel)s)
            LIMIT 1
        )
    )
ORDER BY c.id DESC
LIMIT %(limit)s
