SELECT id, attempt_no, due_at, channel, priority, queued_partition, queued_offset
FROM deliveries
WHERE status = 'queued' AND changed_at < clock_timestamp() - make_interval(secs => %(seconds)s)
ORDER BY changed_at
LIMIT %(limit)s
