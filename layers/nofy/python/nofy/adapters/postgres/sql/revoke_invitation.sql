WITH revoked AS (
    UPDATE invitations SET revoked_at = now()
    WHERE id = %(id)s AND project_id = %(project_id)s AND accepted_at IS NULL AND revoked_at IS NULL
        AND expires_at > now()
    RETURNING id
), noted AS (
    /* noted */ FROM revoked
)
SELECT id FROM revoked
