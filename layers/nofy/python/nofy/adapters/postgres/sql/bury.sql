INSERT INTO dead_letters (
    id, project_id, live, channel, kind, reason, fingerprint, delivery_id, attempt_no, source, raw
)
SELECT l.id, d.project_id, d.live, d.channel, l.kind, l.reason, l.fingerprint, l.delivery_id, l.attempt_no, l.source,
    l.raw
FROM unnest(
    %(ids)s::uuid[], %(kinds)s::text[], %(reasons)s::text[], %(fingerprints)s::text[], %(delivery_ids)s::uuid[],
    %(attempt_nos)s::int[], %(sources)s::text[], %(raws)s::bytea[]
) AS l (id, kind, reason, fingerprint, delivery_id, attempt_no, source, raw)
LEFT JOIN deliveries d ON d.id = l.delivery_id
ON CONFLICT DO NOTHING
