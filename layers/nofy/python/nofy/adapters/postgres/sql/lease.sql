SELECT * FROM nofy_lease(
    %(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[], %(dispatched_ats)s::timestamptz[], %(seconds)s
)
