SELECT a.delivery_id, a.attempt_no, d.spent, d.priority, d.delivery_mode, d.expires_at, d.provider,
    (
        SELECT min(e.leased_at) FROM attempts e
        WHERE e.delivery_id = a.delivery_id AND e.redrive_no = a.redrive_no AND e.report ->> 'outcome' = 'unknown'
    ),
    a.credential_version, a.report
FROM attempts a
JOIN deliveries d ON d.id = a.delivery_id
WHERE a.acknowledged_at IS NULL AND a.lease_until < clock_timestamp()
    AND d.status = 'sending' AND d.attempt_no = a.attempt_no
ORDER BY a.lease_until
LIMIT %(limit)s
