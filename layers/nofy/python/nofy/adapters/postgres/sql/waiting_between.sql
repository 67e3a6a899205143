SELECT channel, priority, project_id::text, id, due_at
FROM deliveries
WHERE status IN ('scheduled', 'retrying') AND due_at > coalesce(%(after)s, '-infinity'::timestamptz)
    AND due_at <= %(until)s
ORDER BY due_at
-- Ties too: the next page starts after this one's last moment.
FETCH FIRST %(limit)s ROWS WITH TIES
