-- A new credential is a new version: what the old one was held for is over, and its deliveries are released.
INSERT INTO integrations AS i (id, project_id, channel, provider, settings, credential, name, hint)
VALUES (
    %(id)s, %(project_id)s, %(channel)s, %(provider)s, %(settings)s::jsonb, %(credential)s, %(name)s, %(hint)s
)
ON CONFLICT (id) DO UPDATE
SET settings = excluded.settings, credential = excluded.credential, hint = excluded.hint,
    name = CASE WHEN excluded.name = '' THEN i.name ELSE excluded.name END,
    credential_version = i.credential_version + 1, changed_at = now()
RETURNING credential_version
