-- Due deliveries that are not sent: their integration is held, or nobody wants them any more.
WITH ended AS (
    UPDATE deliveries d
    SET status = %(status)s, changed_at = clock_timestamp(), reason = %(reason)s
    FROM unnest(%(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[]) AS f (id, attempt_no, due_at)
    WHERE d.id = ANY (%(ids)s::uuid[]) AND d.id = f.id AND d.attempt_no = f.attempt_no AND d.due_at = f.due_at AND d.status IN ('scheduled', 'retrying')
    RETURNING d.project_id, d.live, d.channel, d.status, d.changed_at
)
SELECT nofy_count(array_agg(ROW(project_id, live, channel, status, changed_at, NULL)::nofy_event))
FROM ended
WHERE status = 'expired'
