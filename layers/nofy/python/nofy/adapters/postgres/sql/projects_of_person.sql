SELECT set_config('nofy.user_id', %(user_id)s::text, true);
SELECT m.role, p.id, p.name, p.created_at, p.archived_at, p.retention_days
FROM memberships m JOIN projects p ON p.id = m.project_id
WHERE m.user_id = %(user_id)s
ORDER BY p.created_at DESC, p.id DESC
