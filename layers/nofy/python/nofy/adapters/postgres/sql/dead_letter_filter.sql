-- Which dead letters are meant: the caller's, of their mode, as the filter says. Stands in other queries' WHERE.
l.project_id = %(project_id)s AND l.live = %(live)s AND l.kind = 'delivery'
    AND (%(ids)s::uuid[] IS NULL OR l.id = ANY (%(ids)s::uuid[]))
    AND (%(fingerprint)s::text IS NULL OR l.fingerprint = %(fingerprint)s)
    AND (
        %(notification_id)s::uuid IS NULL
        OR l.delivery_id = ANY (ARRAY(SELECT of.id FROM deliveries of WHERE of.notification_id = %(notification_id)s))
    )
    AND (%(channel)s::text IS NULL OR l.channel = %(channel)s)
    AND (%(created_before)s::timestamptz IS NULL OR l.created_at < %(created_before)s)
    AND (
        %(status)s::text IS NULL
        OR %(status)s = CASE
            WHEN l.discarded_at IS NOT NULL THEN 'discarded' WHEN l.redriven_at IS NOT NULL THEN 'redriven' ELSE 'open'
        END
    )
