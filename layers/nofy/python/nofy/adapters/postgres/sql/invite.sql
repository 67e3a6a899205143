WITH invited AS (
    INSERT INTO invitations (id, project_id, role, email, token_hash, invited_by, created_at, expires_at)
    VALUES (
        %(id)s, %(project_id)s, %(role)s, %(email)s, %(token_hash)s, %(invited_by)s, %(created_at)s, %(expires_at)s
    )
    RETURNING id
)
/* noted */ FROM invited
