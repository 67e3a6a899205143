SELECT nofy_accept(
    %(project_id)s::uuid, %(live)s::boolean, %(notifications)s::jsonb, %(deliveries)s::jsonb, %(slot)s::smallint,
    %(key)s::text, %(request_hash)s::bytea, %(answer)s::json
)
