-- Claimed deliveries that still wait for their time, with what the dispatcher decides on.
SELECT d.id, d.attempt_no, d.due_at, d.project_id, d.channel, d.priority, d.destination, d.expires_at,
    i.held_version IS NOT NULL AND i.held_version = i.credential_version, p.weight
FROM deliveries d
JOIN integrations i ON i.id = d.integration_id
JOIN projects p ON p.id = d.project_id
WHERE d.id = ANY (%(ids)s::uuid[]) AND d.status IN ('scheduled', 'retrying')
