-- Nobody will send these again. Locked in the deliveries' order, as a redrive locks them.
WITH meant AS (
    SELECT l.id
    FROM dead_letters l
    WHERE /* filter */
        AND l.redriven_at IS NULL AND l.discarded_at IS NULL
    ORDER BY l.id
    LIMIT %(limit)s
), locked AS (
    SELECT l.id
    FROM meant m
    JOIN dead_letters l ON l.id = m.id
    WHERE l.redriven_at IS NULL AND l.discarded_at IS NULL
    ORDER BY l.delivery_id
    FOR UPDATE OF l
), discarded AS (
    UPDATE dead_letters l
    SET discarded_at = clock_timestamp(), discard_reason = %(reason)s
    FROM locked k
    WHERE l.id = k.id
    RETURNING l.id
)
SELECT (SELECT count(*) FROM discarded), (
    SELECT count(*) FROM dead_letters l
    WHERE /* filter */
        AND l.redriven_at IS NULL AND l.discarded_at IS NULL
)
