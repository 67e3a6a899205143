-- Counters are folded as they grow old: ten minutes on, a minute's slots into one (-1); when nobody looks at single
-- minutes any more, into their hour (-2); beyond the longest range, into one sum without times (-3). An event that comes
-- late begins at its minute's slot and is folded by the next sweeps.
WITH bound AS (
    -- (what the reconciler may still set is not folded)
    SELECT least(now() - interval '10 minutes', accepted_until) AS settled FROM counting_progress
), old AS (
    SELECT project_id, live, minute, channel, slot
    FROM delivery_counts
    WHERE (least(slot, 0) = 0 AND minute < (SELECT settled FROM bound))
        OR (least(slot, 0) = -1 AND minute < now() - %(minutes_kept)s)
        OR (least(slot, 0) = -2 AND minute < now() - %(hours_kept)s)
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM delivery_counts c
    USING old o
    WHERE (c.project_id, c.live, c.minute, c.channel, c.slot) = (o.project_id, o.live, o.minute, o.channel, o.slot)
    RETURNING c.*
), placed AS (
    SELECT t.*, least(slot, 0) - 1 AS its_slot, CASE least(slot, 0)
        WHEN 0 THEN minute
        WHEN -1 THEN date_trunc('hour', minute)
        ELSE '-infinity'
    END AS its_minute
    FROM taken t
), summed AS (
    SELECT project_id, live, its_minute, channel, its_slot,
        sum(accepted) AS accepted, sum(sent) AS sent, sum(failed) AS failed, sum(retried) AS retried,
        sum(cancelled) AS cancelled, sum(expired) AS expired, sum(redriven) AS redriven, sum(corrected) AS corrected
    FROM placed
    GROUP BY 1, 2, 3, 4, 5
), timed AS (
    SELECT project_id, live, its_minute, channel, its_slot, array_agg(n ORDER BY place) AS times
    FROM (
        SELECT p.project_id, p.live, p.its_minute, p.channel, p.its_slot, b.place, sum(b.n)::bigint AS n
        FROM placed p, unnest(p.times) WITH ORDINALITY AS b (n, place)
        WHERE p.its_slot > -3
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS each
    GROUP BY 1, 2, 3, 4, 5
)
INSERT INTO delivery_counts AS c (
    project_id, live, minute, channel, slot, accepted, sent, failed, retried, cancelled, expired, redriven, corrected,
    times
)
SELECT s.project_id, s.live, s.its_minute, s.channel, s.its_slot, s.accepted, s.sent, s.failed, s.retried, s.cancelled,
    s.expired, s.redriven, s.corrected, coalesce(t.times, '{}')
FROM summed s
LEFT JOIN timed t USING (project_id, live, its_minute, channel, its_slot)
ORDER BY s.project_id, s.live, s.its_minute, s.channel, s.its_slot
ON CONFLICT (project_id, live, minute, channel, slot) DO UPDATE
SET accepted = c.accepted + excluded.accepted, sent = c.sent + excluded.sent, failed = c.failed + excluded.failed,
    retried = c.retried + excluded.retried, cancelled = c.cancelled + excluded.cancelled,
    expired = c.expired + excluded.expired, redriven = c.redriven + excluded.redriven,
    corrected = c.corrected + excluded.corrected, times = nofy_add(c.times, excluded.times)
