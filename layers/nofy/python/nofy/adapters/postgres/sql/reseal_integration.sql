-- Another credential is another version: what the old one was held for is over, and its deliveries are released.
UPDATE integrations SET credential = %(credential)s, credential_version = credential_version + 1
WHERE id = %(id)s AND project_id = %(project_id)s AND channel = %(channel)s AND removed_at IS NULL;
