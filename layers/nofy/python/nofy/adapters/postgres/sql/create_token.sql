WITH made AS (
    INSERT INTO api_keys (id, project_id, name, mode, token_hash, hint, scopes, created_at, expires_at, created_by)
    VALUES (
        %(id)s, %(project_id)s, %(name)s, %(mode)s, %(token_hash)s, %(hint)s, %(scopes)s, %(created_at)s,
        %(expires_at)s, %(actor_id)s
    )
    RETURNING id
)
/* noted */ FROM made
