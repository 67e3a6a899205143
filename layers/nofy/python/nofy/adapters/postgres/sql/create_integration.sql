UPDATE integrations SET is_default = false
WHERE project_id = %(project_id)s AND channel = %(channel)s AND is_default AND removed_at IS NULL AND %(default)s;
WITH made AS (
    INSERT INTO integrations (
        id, project_id, channel, provider, name, settings, credential, hint, checked, is_default
    )
    SELECT %(id)s, %(project_id)s, %(channel)s, %(provider)s, %(name)s, %(settings)s::jsonb, %(credential)s, %(hint)s,
        %(checked)s::jsonb, NOT EXISTS (
            SELECT FROM integrations
            WHERE project_id = %(project_id)s AND channel = %(channel)s AND is_default AND removed_at IS NULL
        )
    RETURNING /* view */
), noted AS (
    /* noted */ FROM made
)
SELECT * FROM made
