-- What happened to deliveries, counted as it happens: the overview reads some thousand rows of these, however many
-- notifications there are.

-- A minute's counters of one channel, in slots: the slot is the backend's, so that transactions at the same minute do
-- not wait for one another. ``accepted`` is the reconciler's alone and has a slot of its own (16). The reconciler folds
-- what grows old (fold_counts.sql): a minute's slots into one (-1), minutes into hours (-2), and what is beyond the
-- longest range into a sum at '-infinity' (-3), so that of all of them together
-- accepted + redriven + corrected - sent - failed - cancelled - expired stays the number of live deliveries.
CREATE TABLE delivery_counts (
    project_id uuid NOT NULL,
    live boolean NOT NULL,
    minute timestamptz NOT NULL,
    channel text NOT NULL,
    slot smallint NOT NULL,
    accepted bigint NOT NULL DEFAULT 0,
    sent bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,       -- given up, or left as unknown
    retried bigint NOT NULL DEFAULT 0,      -- tried in vain and due again: attempts, not deliveries
    cancelled bigint NOT NULL DEFAULT 0,
    expired bigint NOT NULL DEFAULT 0,
    redriven bigint NOT NULL DEFAULT 0,
    corrected bigint NOT NULL DEFAULT 0,    -- counted as failed before, and as sent when it turned out to be
    times bigint[] NOT NULL DEFAULT '{}',   -- of what was sent: due to answer, by nofy_time_bucket (from 0 here)
    PRIMARY KEY (project_id, live, minute, channel, slot)
) WITH (fillfactor = 50);                   -- room for the next version of a row in its own page
CREATE INDEX delivery_counts_by_age ON delivery_counts (least(slot, 0), minute);

-- One row: up to which minute ``accepted`` is final.
CREATE TABLE counting_progress (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    accepted_until timestamptz NOT NULL
);

ALTER TABLE delivery_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_project ON delivery_counts TO nofy_api, nofy_console USING (project_id = nofy_project());
CREATE POLICY all_projects ON delivery_counts TO nofy_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_counts TO nofy_pipeline;
GRANT SELECT, INSERT, UPDATE ON counting_progress TO nofy_pipeline;
-- (cancelled and redriven are counted by the statement that does it, in the caller's own project)
GRANT SELECT, INSERT ON delivery_counts TO nofy_api, nofy_console;
GRANT UPDATE (sent, failed, retried, cancelled, expired, redriven, corrected, times)
    ON delivery_counts TO nofy_api, nofy_console;

-- What is retrying was without an index of its own: few rows, which come and go.
CREATE INDEX deliveries_retrying ON deliveries (project_id) WHERE status = 'retrying';

-- The minute in which a UUIDv7 was made.
CREATE FUNCTION nofy_minute(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 60000 * 60) $$;

-- Buckets of a log scale, four to the doubling from 8 ms: a bucket's middle is at most 9 % off. 0 is below 8 ms, 80
-- above two hours. ``domain/statistics.py`` reads them.
CREATE FUNCTION nofy_time_bucket(milliseconds double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT least(80, greatest(0, 1 + floor(4 * ln(greatest(milliseconds, 1) / 8) / ln(2.0::double precision))::int)) $$;

-- Two histograms in one; either may be shorter.
CREATE FUNCTION nofy_add(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY place), '{}')
    FROM unnest(a, b) WITH ORDINALITY AS t (x, y, place)
$$;

-- One thing that happened to a delivery. ``milliseconds``: from due to the provider's answer, for what was sent.
CREATE TYPE nofy_event AS (
    project_id uuid, live boolean, channel text, event text, at timestamptz, milliseconds double precision
);

-- Counts what a statement did; returns in how many rows. A statement calls it last: whoever has locked counters waits
-- for nothing but counters, which everybody locks in one order.
CREATE FUNCTION nofy_count(happened nofy_event[]) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH counted AS (
        SELECT project_id, live, date_trunc('minute', at) AS minute, channel,
            count(*) FILTER (WHERE event = 'sent') AS sent,
            count(*) FILTER (WHERE event = 'failed') AS failed,
            count(*) FILTER (WHERE event = 'retried') AS retried,
            count(*) FILTER (WHERE event = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE event = 'expired') AS expired,
            count(*) FILTER (WHERE event = 'redriven') AS redriven,
            count(*) FILTER (WHERE event = 'corrected') AS corrected,
            array_agg(nofy_time_bucket(milliseconds)) FILTER (WHERE event = 'sent') AS buckets
        FROM unnest(happened)
        GROUP BY 1, 2, 3, 4
    ), kept AS (
        INSERT INTO delivery_counts AS c (
            project_id, live, minute, channel, slot, sent, failed, retried, cancelled, expired, redriven, corrected,
            times
        )
        SELECT project_id, live, minute, channel, pg_backend_pid() % 16, sent, failed, retried, cancelled, expired,
            redriven, corrected,
            CASE WHEN buckets IS NULL THEN '{}' ELSE ARRAY(
                SELECT count(b)
                FROM generate_series(0, (SELECT max(x) FROM unnest(buckets) AS x)) AS place
                LEFT JOIN unnest(buckets) AS b ON b = place
                GROUP BY place
                ORDER BY place
            ) END
        FROM counted
        ORDER BY project_id, live, minute, channel
        ON CONFLICT (project_id, live, minute, channel, slot) DO UPDATE
        SET sent = c.sent + excluded.sent, failed = c.failed + excluded.failed,
            retried = c.retried + excluded.retried, cancelled = c.cancelled + excluded.cancelled,
            expired = c.expired + excluded.expired, redriven = c.redriven + excluded.redriven,
            corrected = c.corrected + excluded.corrected, times = nofy_add(c.times, excluded.times)
        RETURNING 1
    )
    SELECT count(*) FROM kept
$$;
REVOKE ALL ON FUNCTION nofy_count(nofy_event[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_count(nofy_event[]) TO nofy_api, nofy_console, nofy_pipeline;

-- Blanks these notifications with all that was made of them, and cancels what waits: a lease and this lock the same
-- rows, and whoever comes second sees what the other did. What is being sent stays as it is, and its notification too,
-- so that it is found when somebody asks again. ``only_ended``: a notification with anything live is left alone.
--
-- Ids, statuses and times stay. Erased content is '{}', which no rendered content is: what is erased is not erased
-- again. Open dead letters are put away, so that nothing without content is redriven.
CREATE FUNCTION nofy_erase(
    ids uuid[], only_ended boolean,
    OUT erased uuid[], OUT blanked bigint, OUT cancelled bigint, OUT in_flight bigint, OUT left_alone uuid[]
)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    waiting constant text[] := '{scheduled,retrying,queued,held}';
    touched uuid[];
    happened nofy_event[];
BEGIN
    PERFORM FROM deliveries d WHERE d.notification_id = ANY (ids) ORDER BY d.id FOR UPDATE;
    left_alone := ARRAY(
        SELECT DISTINCT d.notification_id FROM deliveries d
        WHERE only_ended AND d.notification_id = ANY (ids) AND (d.status = 'sending' OR d.status = ANY (waiting))
    );
    ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(left_alone));

    SELECT coalesce(array_agg(d.id) FILTER (WHERE d.status <> 'sending'), '{}'),
        count(*) FILTER (WHERE d.status <> 'sending'),
        count(*) FILTER (WHERE d.status = ANY (waiting)),
        count(*) FILTER (WHERE d.status = 'sending')
    INTO touched, blanked, cancelled, in_flight
    FROM deliveries d
    WHERE d.notification_id = ANY (ids) AND d.content <> '{}';

    happened := ARRAY(
        SELECT ROW(d.project_id, d.live, d.channel, 'cancelled', clock_timestamp(), NULL)::nofy_event
        FROM deliveries d
        WHERE d.id = ANY (touched) AND d.status = ANY (waiting)
    );
    UPDATE deliveries d
    SET status = CASE WHEN d.status = ANY (waiting) THEN 'cancelled' ELSE d.status END,
        changed_at = CASE WHEN d.status = ANY (waiting) THEN clock_timestamp() ELSE d.changed_at END,
        reason = CASE WHEN d.status = ANY (waiting) THEN 'its recipient was erased' ELSE nofy_own_words(d.reason) END,
        destination = 'erased', content = '{}',
        history = (
            SELECT coalesce(jsonb_agg(step - 'reason' ORDER BY place), '[]')
            FROM jsonb_array_elements(d.history) WITH ORDINALITY AS told (step, place)
        )
    WHERE d.id = ANY (touched);
    UPDATE attempts a SET report = nofy_erased_report(a.report)
    WHERE a.delivery_id = ANY (touched) AND a.report IS NOT NULL;

    PERFORM FROM dead_letters l
    WHERE l.kind = 'delivery' AND l.delivery_id = ANY (touched) ORDER BY l.delivery_id FOR UPDATE;
    UPDATE dead_letters l
    SET reason = nofy_own_words(l.reason),
        discarded_at = CASE WHEN l.redriven_at IS NULL THEN coalesce(l.discarded_at, clock_timestamp()) END,
        discard_reason = CASE WHEN l.redriven_at IS NULL THEN 'erased' END
    WHERE l.kind = 'delivery' AND l.delivery_id = ANY (touched);

    WITH gone AS (
        UPDATE notifications n
        SET recipient = '{}', content = '{}', metadata = '{}', tags = '{}', reference = NULL
        WHERE n.id = ANY (ids) AND n.content <> '{}'
            AND NOT EXISTS (SELECT FROM deliveries d WHERE d.notification_id = n.id AND d.status = 'sending')
        RETURNING n.id
    )
    SELECT coalesce(array_agg(id), '{}') INTO erased FROM gone;
    PERFORM nofy_count(happened);
END
$$;
REVOKE ALL ON FUNCTION nofy_erase(uuid[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_erase(uuid[], boolean) TO nofy_console, nofy_pipeline;
