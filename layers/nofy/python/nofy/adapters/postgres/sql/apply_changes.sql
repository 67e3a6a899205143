SELECT * FROM nofy_apply_changes(
    %(ids)s::uuid[], %(old_statuses)s::text[], %(old_attempt_nos)s::int[], %(old_spents)s::int[],
    %(old_due_ats)s::timestamptz[],
    %(statuses)s::text[], %(attempt_nos)s::int[], %(spents)s::int[], %(due_ats)s::timestamptz[],
    %(message_ids)s::text[], %(reasons)s::text[], %(held_credentials)s::int[], %(decided_ats)s::timestamptz[],
    %(report_ids)s::uuid[], %(report_attempt_nos)s::int[], %(reports)s::jsonb[],
    %(accepted)s
)
