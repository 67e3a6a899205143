-- Partitions of one week each, made ahead. Attaching takes a lighter lock than CREATE TABLE ... PARTITION OF, so
-- that the reconciler can make them under load.
CREATE FUNCTION nofy_ensure_partitions(until timestamptz) RETURNS integer
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
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
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

-- The idempotency key of an accept, inside its transaction. Raises NF409 while another request with the key is
-- in flight and NF200 when one has been answered; a key older than a day is forgotten.
CREATE FUNCTION nofy_claim_key(its_project uuid, is_live boolean, its_key text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(its_project::text || is_live::text || its_key, 0)) THEN
        RAISE EXCEPTION 'in flight' USING ERRCODE = 'NF409';
    END IF;
    DELETE FROM idempotency_keys
    WHERE project_id = its_project AND live = is_live AND key = its_key AND created_at < now() - interval '24 hours';
    IF EXISTS (
        SELECT FROM idempotency_keys WHERE project_id = its_project AND live = is_live AND key = its_key
    ) THEN
        RAISE EXCEPTION 'answered' USING ERRCODE = 'NF200';
    END IF;
END
$$;

SELECT nofy_ensure_partitions(now() + interval '21 days');
