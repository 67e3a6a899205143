SELECT request_hash, answer FROM idempotency_keys
WHERE project_id = %(project_id)s AND live = %(live)s AND key = %(key)s
