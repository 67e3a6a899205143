id, channel, provider, name, settings, hint, is_default,
    held_version IS NOT NULL AND held_version = credential_version AS held, credential_version, created_at, changed_at,
    checked
