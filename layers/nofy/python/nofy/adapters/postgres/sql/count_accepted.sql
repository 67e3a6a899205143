-- What was accepted since the last final minute, by the ids' own time. Set, and not added: a minute may be counted again
-- and again (the open ones are, so that they show), and a sweep that died halfway did no harm.
--
-- A minute is final when it has been over for a minute. An id is made by the request that stores it, whose function has
-- 29 s and whose statement 15 s: whatever is not stored by then never is, unless clocks are half a minute apart. At most
-- two hours are taken at once, and the first sweep of all begins with the hour behind it.
WITH span AS (
    SELECT since, least(now() + interval '1 minute', since + interval '2 hours') AS until
    FROM (
        SELECT coalesce(
            -- (locked: of two sweeps at once the second begins where the first has ended)
            (SELECT accepted_until FROM counting_progress FOR UPDATE), date_trunc('minute', now()) - interval '1 hour'
        ) AS since
    ) AS known
), counted AS (
    -- (the id's own minute: created_at is a moment older, and may be of the minute before)
    SELECT d.project_id, d.live, nofy_minute(d.id) AS minute, d.channel, count(*) AS accepted
    FROM deliveries d, span
    WHERE d.id >= nofy_uuid_floor(span.since) AND d.id < nofy_uuid_floor(span.until)
    GROUP BY 1, 2, 3, 4
), kept AS (
    INSERT INTO delivery_counts (project_id, live, minute, channel, slot, accepted)
    SELECT project_id, live, minute, channel, 16, accepted
    FROM counted
    ORDER BY project_id, live, minute, channel
    ON CONFLICT (project_id, live, minute, channel, slot) DO UPDATE SET accepted = excluded.accepted
)
INSERT INTO counting_progress (accepted_until)
SELECT greatest(since, least(until, date_trunc('minute', now()) - interval '1 minute')) FROM span
ON CONFLICT (only_row) DO UPDATE
SET accepted_until = greatest(counting_progress.accepted_until, excluded.accepted_until)
