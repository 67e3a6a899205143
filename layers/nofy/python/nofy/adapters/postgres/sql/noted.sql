-- The audit log's entry for what was done. Stands in other statements, before the FROM that says whether it was.
INSERT INTO audit_log (id, project_id, at, actor_kind, actor_id, actor_name, action, target, details, request_id)
SELECT %(entry_id)s, nofy_project(), %(at)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s, %(action)s, %(target)s,
    %(details)s::jsonb, %(entry_request_id)s
