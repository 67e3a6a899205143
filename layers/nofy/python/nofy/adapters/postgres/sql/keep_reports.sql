-- Kafka would not take these reports: they wait on their attempts, where the reconciler finds them.
UPDATE attempts a
SET report = r.report, lease_until = clock_timestamp()
FROM unnest(%(ids)s::uuid[], %(attempt_nos)s::int[], %(reports)s::jsonb[]) AS r (delivery_id, attempt_no, report)
WHERE a.delivery_id = ANY (%(ids)s::uuid[]) AND a.delivery_id = r.delivery_id AND a.attempt_no = r.attempt_no AND a.acknowledged_at IS NULL
