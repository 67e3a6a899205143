SELECT id, at, actor_kind, actor_id, actor_name, action, target, details, request_id
FROM audit_log
WHERE project_id = %(project_id)s AND (%(before)s::uuid IS NULL OR id < %(before)s)
    AND (%(action)s::text IS NULL OR action = %(action)s)
ORDER BY id DESC
LIMIT %(limit)s
