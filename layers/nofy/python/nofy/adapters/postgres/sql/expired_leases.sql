-- By their deliveries: what is being sent is little, and what was ever attempted is not (see migration 0015).
SELECT a.delivery_id, a.attempt_no, d.spent, d.priority, d.delivery_mode, d.expires_at, d.provider,
    (
        SELECT min(e.leased_at) FROM attempts e
        WHERE e.delivery_id = a.delivery_id AND e.redrive_no = a.redrive_no AND e.report ->> 'outcome' = 'unknown'
    ),
    a.credential_version, a.report
FROM deliveries d
JOIN attempts a ON a.delivery_id = d.id AND a.attempt_no = d.attempt_no
WHERE d.status = 'sending' AND a.acknowledged_at IS NULL AND a.lease_until < clock_timestamp()
ORDER BY a.lease_until
LIMIT %(limit)s
