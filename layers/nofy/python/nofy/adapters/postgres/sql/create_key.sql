INSERT INTO api_keys (id, project_id, name, mode, token_hash, hint)
VALUES (%(id)s, %(project_id)s, 'made by an operator', %(mode)s, %(token_hash)s, %(hint)s)
