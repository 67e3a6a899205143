-- Only where the fence still holds: the consumer may have leased the record already. It may also be leasing just
-- now, in id order: so are the rows locked here, or the two would deadlock.
WITH placed AS (
    SELECT d.id, q.at_partition, q.at_offset
    FROM deliveries d
    JOIN unnest(
        %(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[], %(partitions)s::int[],
        %(offsets)s::bigint[]
    ) AS q (id, attempt_no, due_at, at_partition, at_offset) ON q.id = d.id
    WHERE d.id = ANY (%(ids)s::uuid[]) AND d.attempt_no = q.attempt_no AND d.due_at = q.due_at AND d.status IN ('scheduled', 'retrying')
    ORDER BY d.id
    FOR UPDATE OF d
)
UPDATE deliveries d
SET status = 'queued', changed_at = clock_timestamp(), queued_partition = p.at_partition, queued_offset = p.at_offset
FROM placed p
WHERE d.id = p.id
