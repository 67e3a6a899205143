WITH archived AS (
    UPDATE projects SET archived_at = now() WHERE id = %(project_id)s AND archived_at IS NULL RETURNING id
), noted AS (
    /* noted */ FROM archived
)
SELECT id FROM archived
