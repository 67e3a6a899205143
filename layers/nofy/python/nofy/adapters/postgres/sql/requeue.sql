-- Back to the schedule, due when it was; but a delivery whose records are lost again and again is a dead letter for
-- somebody to look at (the sweep for failed deliveries without one finds it).
WITH fence AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(attempt_nos)s::int[], %(due_ats)s::timestamptz[]) AS f (id, attempt_no, due_at)
), lost AS (
    SELECT d.id, (
            -- Since somebody last sent it again: a redrive starts afresh in this too.
            SELECT count(*)
            FROM jsonb_array_elements(d.history) WITH ORDINALITY AS noted (step, place)
            WHERE step ->> 'event' = 'requeued' AND place > (
                SELECT coalesce(max(place), 0)
                FROM jsonb_array_elements(d.history) WITH ORDINALITY AS noted (step, place)
                WHERE step ->> 'event' = 'redriven'
            )
        ) AS times
    FROM deliveries d
    JOIN fence f ON f.id = d.id
    WHERE d.attempt_no = f.attempt_no AND d.due_at = f.due_at AND d.status = 'queued'
    ORDER BY d.id
    FOR UPDATE OF d
), moved AS (
    UPDATE deliveries d
    SET status = CASE WHEN lost.times < %(most)s THEN 'scheduled' ELSE 'failed' END,
        reason = CASE WHEN lost.times < %(most)s THEN d.reason ELSE 'its records were lost in Kafka again and again' END,
        changed_at = clock_timestamp(),
        history = d.history || jsonb_build_object('event', 'requeued', 'at', clock_timestamp())
    FROM lost
    WHERE d.id = lost.id
    RETURNING d.status, d.channel, d.priority, d.id, d.due_at, d.project_id, d.live, d.changed_at
), counted AS MATERIALIZED (
    SELECT nofy_count(array_agg(ROW(project_id, live, channel, 'failed', changed_at, NULL)::nofy_event)) AS cells
    FROM moved
    WHERE status = 'failed'
)
SELECT channel, priority, project_id, id, due_at
FROM moved
WHERE status = 'scheduled' AND (SELECT cells FROM counted) IS NOT NULL
