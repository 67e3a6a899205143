SELECT id, status, attempt_no, spent, due_at, channel, priority, integration_id, provider_message_id, reason,
    project_id
FROM deliveries
WHERE id = ANY (%(ids)s::uuid[])
