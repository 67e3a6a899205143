-- The overview's figures in one row. Counters, and what is under way by its partial indexes: nothing here grows with
-- the number of notifications.
WITH span AS (
    SELECT now() AS now, ended - %(buckets)s * step AS since, step,
        date_trunc('minute', now()) - interval '1 minute' AS fresh
    FROM (SELECT make_interval(secs => %(step)s) AS step) AS s,
        LATERAL (SELECT date_bin(s.step, now(), 'epoch') + s.step AS ended) AS e
), kept AS MATERIALIZED (
    SELECT * FROM delivery_counts WHERE project_id = %(project_id)s AND live = %(live)s
), fresh AS (
    -- The last minutes' accepted, which the reconciler may not have counted yet: the bounded number of them that lies
    -- beyond its counters.
    SELECT f.minute, f.channel, greatest(0, f.accepted - coalesce((
        SELECT sum(k.accepted) FROM kept k WHERE k.minute = f.minute AND k.channel = f.channel
    ), 0)) AS accepted
    FROM (
        SELECT nofy_minute(d.id) AS minute, d.channel, count(*) AS accepted
        FROM (
            SELECT n.id FROM notifications n
            WHERE n.project_id = %(project_id)s AND n.live = %(live)s
                AND n.id >= nofy_uuid_floor((SELECT fresh FROM span))
            ORDER BY n.id DESC
            LIMIT 5000
        ) AS n
        JOIN deliveries d ON d.notification_id = n.id
        WHERE d.id >= nofy_uuid_floor((SELECT fresh FROM span))
        GROUP BY 1, 2
    ) AS f
), counts AS (
    SELECT minute, channel, accepted, sent, failed, retried, cancelled, expired, redriven, corrected FROM kept
    UNION ALL
    SELECT minute, channel, accepted, 0, 0, 0, 0, 0, 0, 0 FROM fresh
), summed AS (
    SELECT date_bin(span.step, minute, 'epoch') AS at, channel,
        sum(accepted)::bigint AS accepted, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed,
        sum(retried)::bigint AS retried, sum(cancelled)::bigint AS cancelled, sum(expired)::bigint AS expired,
        sum(redriven)::bigint AS redriven, sum(corrected)::bigint AS corrected
    FROM counts, span
    WHERE minute >= span.since
    GROUP BY 1, 2
), timed AS (
    SELECT at, channel, array_agg(n ORDER BY place) AS times
    FROM (
        SELECT date_bin(span.step, k.minute, 'epoch') AS at, k.channel, b.place, sum(b.n)::bigint AS n
        FROM span, kept k, unnest(k.times) WITH ORDINALITY AS b (n, place)
        WHERE k.minute >= span.since
        GROUP BY 1, 2, 3
    ) AS each
    GROUP BY 1, 2
), due AS (
    (
        SELECT channel, priority, due_at FROM deliveries
        WHERE status = 'queued' AND project_id = %(project_id)s AND live = %(live)s
        LIMIT %(most)s
    )
    UNION ALL
    (
        SELECT channel, priority, due_at FROM deliveries
        WHERE status IN ('scheduled', 'retrying') AND due_at <= now()
            AND project_id = %(project_id)s AND live = %(live)s
        LIMIT %(most)s
    )
)
SELECT (SELECT since FROM span),
    (
        SELECT coalesce(json_agg(json_build_array(
            extract(epoch FROM at), channel, accepted, sent, failed, retried, cancelled, expired, redriven, corrected,
            coalesce(times, '{}')
        ) ORDER BY at, channel), '[]')
        FROM summed LEFT JOIN timed USING (at, channel)
    ) AS cells,
    (
        SELECT coalesce(sum(accepted + redriven + corrected - sent - failed - cancelled - expired), 0)::bigint FROM counts
    ) AS live,
    (
        SELECT count(*) FROM (
            SELECT FROM deliveries
            WHERE status = 'queued' AND project_id = %(project_id)s AND live = %(live)s LIMIT %(most)s
        ) AS few
    ) AS queued,
    (
        SELECT count(*) FROM (
            SELECT FROM deliveries
            WHERE status = 'sending' AND project_id = %(project_id)s AND live = %(live)s LIMIT %(most)s
        ) AS few
    ) AS sending,
    (
        SELECT count(*) FROM (
            SELECT FROM deliveries
            WHERE status = 'retrying' AND project_id = %(project_id)s AND live = %(live)s LIMIT %(most)s
        ) AS few
    ) AS retrying,
    (
        SELECT coalesce(json_agg(json_build_array(
            channel, priority, waiting, greatest(0, floor(extract(epoch FROM now() - oldest)))::bigint
        )), '[]')
        FROM (SELECT channel, priority, count(*) AS waiting, min(due_at) AS oldest FROM due GROUP BY 1, 2) AS lanes
    ) AS lanes,
    (
        SELECT count(*) FROM (
            SELECT FROM dead_letters
            WHERE kind = 'delivery' AND redriven_at IS NULL AND discarded_at IS NULL
                AND project_id = %(project_id)s AND live = %(live)s
            LIMIT %(most)s
        ) AS few
    ) AS dead_letters,
    (
        SELECT coalesce(json_agg(json_build_array(
            i.id, i.name, i.channel, i.held_version IS NOT DISTINCT FROM i.credential_version, (
                SELECT count(*) FROM (
                    SELECT FROM deliveries d
                    WHERE d.status = 'held' AND d.integration_id = i.id AND d.live = %(live)s LIMIT %(most)s
                ) AS few
            )
        ) ORDER BY i.channel, i.name, i.id), '[]')
        FROM integrations i
        WHERE i.project_id = %(project_id)s AND i.removed_at IS NULL
    ) AS integrations,
    (
        SELECT count(*) FROM (
            SELECT FROM deliveries d
            JOIN integrations i ON i.id = d.integration_id
            WHERE i.project_id = %(project_id)s AND d.status = 'held' AND d.live = %(live)s LIMIT %(most)s
        ) AS few
    ) AS held
