-- Minutes nobody looks at one by one any more become hours, and hours beyond the longest range one sum.
WITH old AS (
    SELECT project_id, live, minute, channel, slot
    FROM delivery_counts
    WHERE (minute < now() - %(minutes_kept)s AND minute > '-infinity' AND slot >= 0)
        OR (minute < now() - %(hours_kept)s AND minute > '-infinity')
    ORDER BY minute
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM delivery_counts c
    USING old o
    WHERE (c.project_id, c.live, c.minute, c.channel, c.slot) = (o.project_id, o.live, o.minute, o.channel, o.slot)
    RETURNING c.*
), summed AS (
    SELECT project_id, live,
        CASE WHEN minute < now() - %(hours_kept)s THEN '-infinity' ELSE date_trunc('hour', minute) END AS hour, channel,
        sum(accepted) AS accepted, sum(sent) AS sent, sum(failed) AS failed, sum(retried) AS retried,
        sum(cancelled) AS cancelled, sum(expired) AS expired, sum(redriven) AS redriven, sum(corrected) AS corrected
    FROM taken
    GROUP BY 1, 2, 3, 4
), timed AS (
    SELECT project_id, live, hour, channel, array_agg(n ORDER BY place) AS times
    FROM (
        SELECT t.project_id, t.live, date_trunc('hour', t.minute) AS hour, t.channel, b.place, sum(b.n)::bigint AS n
        FROM taken t, unnest(t.times) WITH ORDINALITY AS b (n, place)
        WHERE t.minute >= now() - %(hours_kept)s
        GROUP BY 1, 2, 3, 4, 5
    ) AS each
    GROUP BY 1, 2, 3, 4
)
INSERT INTO delivery_counts AS c (
    project_id, live, minute, channel, slot, accepted, sent, failed, retried, cancelled, expired, redriven, corrected,
    times
)
SELECT s.project_id, s.live, s.hour, s.channel, -1, s.accepted, s.sent, s.failed, s.retried, s.cancelled, s.expired,
    s.redriven, s.corrected, coalesce(t.times, '{}')
FROM summed s
LEFT JOIN timed t USING (project_id, live, hour, channel)
ORDER BY s.project_id, s.live, s.hour, s.channel
ON CONFLICT (project_id, live, minute, channel, slot) DO UPDATE
SET accepted = c.accepted + excluded.accepted, sent = c.sent + excluded.sent, failed = c.failed + excluded.failed,
    retried = c.retried + excluded.retried, cancelled = c.cancelled + excluded.cancelled,
    expired = c.expired + excluded.expired, redriven = c.redriven + excluded.redriven,
    corrected = c.corrected + excluded.corrected, times = nofy_add(c.times, excluded.times)
