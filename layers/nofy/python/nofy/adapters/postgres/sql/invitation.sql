SELECT i.project_id, i.id, i.role, i.email, i.created_at, i.expires_at
FROM invitations i JOIN projects p ON p.id = i.project_id
WHERE i.token_hash = decode(%(token_hash)s, 'hex') AND i.accepted_at IS NULL AND i.revoked_at IS NULL
    AND i.expires_at > now() AND p.archived_at IS NULL
