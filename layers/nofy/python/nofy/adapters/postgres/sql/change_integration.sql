UPDATE integrations SET is_default = false
WHERE project_id = %(project_id)s AND channel = %(channel)s AND is_default AND removed_at IS NULL AND id <> %(id)s
    AND %(default)s AND EXISTS (
        SELECT FROM integrations
        WHERE id = %(id)s AND project_id = %(project_id)s AND channel = %(channel)s AND removed_at IS NULL
    );
WITH changed AS (
    UPDATE integrations
    SET name = %(name)s, settings = %(settings)s::jsonb, hint = %(hint)s, checked = %(checked)s::jsonb,
        is_default = is_default OR %(default)s, changed_at = now()
    WHERE id = %(id)s AND project_id = %(project_id)s AND channel = %(channel)s AND removed_at IS NULL
    RETURNING /* view */
), noted AS (
    /* noted */ FROM changed
)
SELECT * FROM changed
