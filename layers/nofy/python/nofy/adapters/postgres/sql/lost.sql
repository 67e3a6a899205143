-- Accepted and without a row (the last two hours, whole ones by their own clock), plus waiting work long past due
-- on which nothing is happening (in_hand_too_long.sql counts the rest). Deliveries of an hour are those born in it: the counter uses now() of the same
-- transaction in which the ids were made, so an hour's edge is left out by looking at whole hours with a margin.
SELECT
    (
        SELECT coalesce(sum(deliveries), 0) FROM accepted_per_hour WHERE hour >= date_trunc('hour', now()) - interval '2 hours'
    ) - (
        SELECT count(*) FROM deliveries
        WHERE id >= nofy_uuid_floor(date_trunc('hour', now()) - interval '2 hours 1 minute')
    ) AS without_row,
    (
        SELECT count(*) FROM deliveries
        WHERE status IN ('scheduled', 'retrying') AND due_at < now() - make_interval(secs => %(seconds)s)
            AND changed_at < now() - make_interval(secs => %(seconds)s)
    ) AS without_progress
