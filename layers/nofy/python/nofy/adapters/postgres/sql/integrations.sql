SELECT /* view */
FROM integrations
WHERE project_id = %(project_id)s AND removed_at IS NULL AND (%(id)s::uuid IS NULL OR id = %(id)s)
ORDER BY created_at, id
