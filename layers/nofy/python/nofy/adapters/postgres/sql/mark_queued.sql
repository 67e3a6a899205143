-- Only where the fence still holds: the consumer may have leased the record already.
UPDATE deliveries d
SET status = 'queued', changed_at = clock_timestamp(), queued_partition = q.at_partition, queued_offset = q.at_offset
FROM unnest(
    %(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[], %(partitions)s::int[], %(offsets)s::bigint[]
) AS q (id, attempt_no, due_at, at_partition, at_offset)
WHERE d.id = q.id AND d.attempt_no = q.attempt_no AND d.due_at = q.due_at AND d.status IN ('scheduled', 'retrying')
