INSERT INTO api_keys (id, project_id, name, mode, token_hash, hint, scopes)
VALUES (%(id)s, %(project_id)s, %(name)s, %(mode)s, %(token_hash)s, %(hint)s, %(scopes)s)
