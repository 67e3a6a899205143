UPDATE deliveries d
SET status = 'scheduled', changed_at = clock_timestamp(),
    history = d.history || jsonb_build_object('event', 'requeued', 'at', clock_timestamp())
FROM unnest(%(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[]) AS f (id, attempt_no, due_at)
WHERE d.id = f.id AND d.attempt_no = f.attempt_no AND d.due_at = f.due_at AND d.status = 'queued'
RETURNING d.channel, d.priority, d.id, d.due_at
