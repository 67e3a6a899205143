-- Who holds a token, and what the project can send with. One trip: the setting is local to it.
SELECT set_config('nofy.token_hash', %(token_hash)s, true);
SELECT k.project_id, k.id, k.mode, coalesce(
    (SELECT jsonb_agg(jsonb_build_array(i.id, i.channel, i.provider, i.settings, i.is_default))
     FROM integrations i WHERE i.project_id = k.project_id),
    '[]'
)
FROM api_keys k
WHERE k.token_hash = decode(%(token_hash)s, 'hex') AND k.revoked_at IS NULL
