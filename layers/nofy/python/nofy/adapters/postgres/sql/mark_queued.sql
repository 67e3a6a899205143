SELECT nofy_mark_queued(
    %(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[], %(partitions)s::int[], %(offsets)s::bigint[]
)
