-- Content of what ended longer ago than its project keeps it. A project's pointer goes over its notifications in the
-- order of their birth and never back; what it finds still live, or ended since, is put down as retained and looked at
-- again when its time may have come.
WITH kept AS (
    SELECT p.id, coalesce(p.erased_until, '00000000-0000-0000-0000-000000000000') AS erased_until,
        make_interval(days => coalesce(p.retention_days, %(days)s)) AS lifetime
    FROM projects p
), next AS MATERIALIZED (
    SELECT k.id AS project_id, k.lifetime, n.id
    FROM kept k
    CROSS JOIN LATERAL (
        SELECT n.id FROM notifications n
        WHERE n.project_id = k.id AND n.id > k.erased_until AND n.id < nofy_uuid_floor(now() - k.lifetime)
        ORDER BY n.id
        LIMIT %(limit)s
    ) AS n
    ORDER BY n.id
    LIMIT %(limit)s
), again AS (
    SELECT k.id AS project_id, k.lifetime, r.notification_id AS id
    FROM retained r JOIN kept k ON k.id = r.project_id
    WHERE r.since <= now() - k.lifetime
    ORDER BY r.since
    LIMIT %(limit)s
), looked AS MATERIALIZED (
    SELECT f.project_id, f.id, f.lifetime, max(
        CASE
            WHEN d.status IN ('scheduled', 'retrying', 'queued', 'held', 'sending') THEN greatest(d.due_at, now())
            ELSE d.changed_at
        END
    ) AS since
    FROM (SELECT * FROM next UNION SELECT * FROM again) AS f
    LEFT JOIN deliveries d ON d.notification_id = f.id
    GROUP BY f.project_id, f.id, f.lifetime
), ripe AS (
    -- (without deliveries: its week was dropped)
    SELECT id FROM looked WHERE coalesce(since, '-infinity') <= now() - lifetime
), done AS MATERIALIZED (
    SELECT e.erased, e.left_alone
    FROM (SELECT coalesce(array_agg(id), '{}') AS ids FROM ripe) AS r, nofy_erase(r.ids, true) AS e
), put_down AS (
    INSERT INTO retained (notification_id, project_id, since)
    SELECT l.id, l.project_id, l.since FROM looked l, done
    WHERE l.id NOT IN (SELECT id FROM ripe) OR l.id = ANY (done.left_alone)
    ON CONFLICT (notification_id) DO UPDATE SET since = excluded.since
), let_go AS (
    DELETE FROM retained r
    USING ripe, done
    WHERE r.notification_id = ripe.id AND ripe.id <> ALL (done.left_alone)
), moved AS (
    UPDATE projects p
    SET erased_until = l.id
    FROM (SELECT DISTINCT ON (project_id) project_id, id FROM next ORDER BY project_id, id DESC) AS l
    WHERE p.id = l.project_id
), forgotten AS (
    DELETE FROM idempotency_keys
    WHERE (project_id, live, key) IN (
        SELECT project_id, live, key FROM idempotency_keys
        WHERE created_at < now() - interval '24 hours'
        LIMIT %(limit)s
    )
)
SELECT cardinality(erased) FROM done
