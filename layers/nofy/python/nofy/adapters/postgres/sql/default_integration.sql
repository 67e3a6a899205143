SELECT id FROM integrations
WHERE project_id = %(project_id)s AND channel = %(channel)s AND is_default AND removed_at IS NULL
