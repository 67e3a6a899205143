-- An attempt is written twice: when it is leased, and when its report comes, three times as long. With room for the
-- report in its own page, and no index that the report would change, the second version goes beside the first and no
-- index is told (a HOT update): each acknowledged attempt writes two index entries less.

-- Expired leases are found by their deliveries, which are "sending" and have an index for that (deliveries_sending).
DROP INDEX attempts_open;

-- As in migration 0003, and with that room. A row of some 120 bytes is followed by one of some 500, and a whole page may be
-- acknowledged in one statement, which leaves both there: a sixth of a page is first versions.
CREATE OR REPLACE FUNCTION nofy_ensure_partitions(until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    week interval := '7 days';
    -- Weeks are counted from a Monday, and a week back is kept for rows written across the boundary.
    start timestamptz := date_bin(week, now(), timestamptz '2024-01-01 00:00:00+00') - week;
    parent text;
    partition text;
    made integer := 0;
BEGIN
    WHILE start < until LOOP
        FOREACH parent IN ARRAY ARRAY['notifications', 'deliveries', 'attempts'] LOOP
            partition := format('%s_%s', parent, to_char(start AT TIME ZONE 'UTC', 'YYYYMMDD'));
            IF to_regclass(partition) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (fillfactor = %s)',
                    partition, parent, CASE parent WHEN 'attempts' THEN 17 ELSE 100 END
                );
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    parent, partition, nofy_uuid_floor(start), nofy_uuid_floor(start + week)
                );
                made := made + 1;
            END IF;
        END LOOP;
        start := start + week;
    END LOOP;
    RETURN made;
END
$$;

-- For pages that are yet to be filled: this week's and those ahead.
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'attempts'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 17)', partition);
    END LOOP;
END
$$;
