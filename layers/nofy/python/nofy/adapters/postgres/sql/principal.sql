-- Who holds a token, and what the project can send with. One trip: the setting is local to it.
SELECT set_config('nofy.token_hash', %(token_hash)s, true);
-- (once a minute is enough for a person to see, and no two requests wait for each other's row)
UPDATE api_keys SET last_used_at = now()
WHERE token_hash = decode(%(token_hash)s, 'hex') AND revoked_at IS NULL
    AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute');
SELECT k.project_id, k.id, k.mode, coalesce(
    (SELECT jsonb_agg(jsonb_build_array(i.id, i.channel, i.provider, i.settings, i.is_default))
     FROM integrations i WHERE i.project_id = k.project_id AND i.removed_at IS NULL),
    '[]'
), k.name, k.scopes, k.expires_at, p.requests_per_second, p.burst, p.notifications_per_day
FROM api_keys k JOIN projects p ON p.id = k.project_id
WHERE k.token_hash = decode(%(token_hash)s, 'hex') AND k.revoked_at IS NULL AND p.archived_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
