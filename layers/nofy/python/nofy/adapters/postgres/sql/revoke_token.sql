WITH revoked AS (
    UPDATE api_keys SET revoked_at = now()
    WHERE id = %(id)s AND project_id = %(project_id)s AND revoked_at IS NULL
    RETURNING id
), noted AS (
    /* noted */ FROM revoked
)
SELECT id FROM revoked
