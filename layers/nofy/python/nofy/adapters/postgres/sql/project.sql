SELECT id, name, created_at, archived_at, retention_days FROM projects WHERE id = %(project_id)s
