SELECT channel, priority, project_id, id, due_at
FROM deliveries
WHERE id >= nofy_uuid_floor(%(since)s) AND status IN ('scheduled', 'retrying') AND due_at <= %(until)s
