-- Deliveries left as unknown have dead letters too; those of what was accepted after all are put away.

-- What the reconciler looks for a dead letter of.
CREATE INDEX deliveries_unburied ON deliveries (changed_at) WHERE status IN ('failed', 'unknown');
DROP INDEX deliveries_failed;
-- What "lost" counts: nothing live without an index of its own.
CREATE INDEX deliveries_sending ON deliveries (changed_at) WHERE status = 'sending';

-- Puts the open dead letters of these deliveries away; returns how many. Locked in the deliveries' order, as a redrive
-- and a discard lock them.
CREATE FUNCTION nofy_discard_accepted(ids uuid[], because text) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH locked AS (
        SELECT l.id
        FROM dead_letters l
        WHERE l.kind = 'delivery' AND l.delivery_id = ANY (ids)
            AND l.redriven_at IS NULL AND l.discarded_at IS NULL
        ORDER BY l.delivery_id
        FOR UPDATE
    ), discarded AS (
        UPDATE dead_letters l
        SET discarded_at = clock_timestamp(), discard_reason = because
        FROM locked k
        WHERE l.id = k.id
        RETURNING l.id
    )
    SELECT count(*) FROM discarded
$$;
REVOKE ALL ON FUNCTION nofy_discard_accepted(uuid[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_discard_accepted(uuid[], text) TO nofy_pipeline;
