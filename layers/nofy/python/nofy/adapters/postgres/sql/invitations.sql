SELECT id, role, email, created_at, expires_at
FROM invitations
WHERE project_id = %(project_id)s AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
ORDER BY id DESC
