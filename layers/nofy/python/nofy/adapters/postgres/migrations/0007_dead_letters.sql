-- Dead letters as a product: groups, bounded redrives, discards; and old weeks that may go.

ALTER TABLE dead_letters
    -- The delivery's own, so that groups and filters need not look at a delivery for each letter.
    ADD COLUMN live boolean,
    ADD COLUMN channel text,
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discard_reason text;

CREATE INDEX dead_letters_of_group ON dead_letters (project_id, live, fingerprint, id) WHERE kind = 'delivery';
CREATE INDEX dead_letters_open ON dead_letters (project_id, live, id)
    WHERE kind = 'delivery' AND redriven_at IS NULL AND discarded_at IS NULL;

GRANT UPDATE (discarded_at, discard_reason) ON dead_letters TO nofy_api;
GRANT DELETE ON dead_letters TO nofy_pipeline;

-- Drops the oldest week that ended before a moment and in which nothing is live; returns where it began, else null.
--
-- One week a call: dropping a partition locks its table for everybody, for as long as this transaction takes. It gives
-- up sooner than a deadlock is looked for, so it is never others that fail; the next sweep tries again.
--
-- It reads the partitions themselves: through the tables their owner would see no row (row-level security is forced)
-- and take every week for empty. Every live status has an index of its own; what is being sent has an attempt nobody
-- has acknowledged. A notification's deliveries may have been born in the week after its own.
CREATE FUNCTION nofy_drop_partition(before timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms'
AS $$
DECLARE
    week interval := '7 days';
    live text := $live$
        SELECT EXISTS (SELECT FROM %1$I WHERE status IN ('scheduled', 'retrying') AND %3$s)
            OR EXISTS (SELECT FROM %1$I WHERE status = 'queued' AND %3$s)
            OR EXISTS (SELECT FROM %1$I WHERE status = 'held' AND %3$s)
            OR EXISTS (
                SELECT FROM %2$I a JOIN %1$I ON id = a.delivery_id
                WHERE a.acknowledged_at IS NULL AND status = 'sending' AND %3$s
            )
    $live$;
    start timestamptz;
    its text;
    following text;
    found boolean;
BEGIN
    -- Whatever it is told: never younger than twice what Kafka keeps.
    before := least(before, now() - interval '14 days');
    FOR start IN
        SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'
        FROM pg_inherits h
        JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'deliveries'::regclass
        ORDER BY c.relname
    LOOP
        EXIT WHEN start + week > before;
        its := to_char(start AT TIME ZONE 'UTC', 'YYYYMMDD');
        following := to_char((start + week) AT TIME ZONE 'UTC', 'YYYYMMDD');
        EXECUTE format(live, 'deliveries_' || its, 'attempts_' || its, 'true') INTO found;
        CONTINUE WHEN found;
        BEGIN
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', 'deliveries_' || its);
            EXECUTE format(live, 'deliveries_' || its, 'attempts_' || its, 'true') INTO found;  -- somebody redrove it
            IF NOT found AND to_regclass('deliveries_' || following) IS NOT NULL THEN
                EXECUTE format(
                    live, 'deliveries_' || following, 'attempts_' || following,
                    format('notification_id < %L', nofy_uuid_floor(start + week))
                ) INTO found;
            END IF;
            CONTINUE WHEN found;
            EXECUTE format('DROP TABLE IF EXISTS %I', 'notifications_' || its);
            EXECUTE format('DROP TABLE IF EXISTS %I', 'deliveries_' || its);
            EXECUTE format('DROP TABLE IF EXISTS %I', 'attempts_' || its);
            RETURN start;
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
    END LOOP;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION nofy_drop_partition(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_drop_partition(timestamptz) TO nofy_pipeline;
