SELECT channel, priority, project_id::text, id, due_at
FROM deliveries
WHERE status IN ('scheduled', 'retrying') AND (due_at, id) > (%(after)s::timestamptz, %(after_id)s::uuid)
    AND due_at <= %(until)s
ORDER BY due_at, id
LIMIT %(limit)s
