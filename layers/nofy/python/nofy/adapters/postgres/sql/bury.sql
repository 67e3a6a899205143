-- The deliveries are locked against the acks handler: whichever of the two comes second sees what the other did, so a
-- letter of what was accepted after all does not stay open, nor one of what was erased, which keeps nobody's words.
WITH about AS (
    SELECT d.id, d.project_id, d.live, d.channel, d.status IN ('sent', 'delivered') AS accepted,
        d.content = '{}' AS erased
    FROM deliveries d
    WHERE d.id = ANY (%(delivery_ids)s::uuid[])
    ORDER BY d.id
    FOR SHARE
)
INSERT INTO dead_letters (
    id, project_id, live, channel, kind, reason, fingerprint, delivery_id, attempt_no, source, raw,
    discarded_at, discard_reason
)
SELECT l.id, d.project_id, d.live, d.channel, l.kind,
    CASE WHEN d.erased THEN nofy_own_words(l.reason) ELSE l.reason END, l.fingerprint, l.delivery_id, l.attempt_no,
    l.source, l.raw, CASE WHEN d.accepted OR d.erased THEN clock_timestamp() END,
    CASE WHEN d.erased THEN 'erased' WHEN d.accepted THEN %(accepted)s END
FROM unnest(
    %(ids)s::uuid[], %(kinds)s::text[], %(reasons)s::text[], %(fingerprints)s::text[], %(delivery_ids)s::uuid[],
    %(attempt_nos)s::int[], %(sources)s::text[], %(raws)s::bytea[]
) AS l (id, kind, reason, fingerprint, delivery_id, attempt_no, source, raw)
LEFT JOIN about d ON d.id = l.delivery_id
ON CONFLICT DO NOTHING
RETURNING coalesce(live, true)
