-- What a redrive would find now, and whom it would reach. Nothing is locked and nothing changes.
WITH meant AS (
    SELECT l.channel, d.destination, d.expires_at <= clock_timestamp() AS past_expiry,
        coalesce(d.status IN ('failed', 'unknown', 'undelivered') AND d.attempt_no = l.attempt_no, false) AS redrivable
    FROM dead_letters l
    LEFT JOIN deliveries d ON d.id = l.delivery_id
    WHERE /* filter */
        AND l.redriven_at IS NULL AND l.discarded_at IS NULL
), reached AS (
    SELECT DISTINCT channel, destination FROM meant WHERE redrivable
)
SELECT count(*), count(*) FILTER (WHERE redrivable), count(*) FILTER (WHERE redrivable AND past_expiry),
    (SELECT count(*) FROM reached),
    ARRAY(
        SELECT jsonb_build_array(channel, destination) FROM reached ORDER BY channel, destination LIMIT %(sample)s
    )
FROM meant
