SELECT id, name, mode, scopes, hint, created_at, expires_at, last_used_at, revoked_at
FROM api_keys
WHERE project_id = %(project_id)s AND (revoked_at IS NULL OR revoked_at > now() - interval '30 days')
ORDER BY id DESC
