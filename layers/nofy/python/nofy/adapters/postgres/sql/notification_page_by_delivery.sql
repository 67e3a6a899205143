-- A page of notifications, newest first, by an address or by a status that few are in: the candidates are deliveries,
-- looked at one by one until enough are as asked.
SELECT DISTINCT c.id
FROM (/* candidates */) AS c
WHERE c.live = %(live)s
    AND (%(priority)s::text IS NULL OR c.priority = %(priority)s)
    AND (%(status)s::text IS NULL OR c.status = %(status)s)
    AND (%(channel)s::text IS NULL OR c.channel = %(channel)s)
    AND (
        (%(reference)s::text IS NULL AND %(tag)s::text IS NULL)
        OR (
            SELECT true FROM notifications n
            WHERE n.id = c.id
                AND (%(reference)s::text IS NULL OR n.reference = %(reference)s)
                AND (%(tag)s::text IS NULL OR n.tags @> ARRAY[%(tag)s])
            LIMIT 1
        )
    )
ORDER BY c.id DESC
LIMIT %(limit)s
