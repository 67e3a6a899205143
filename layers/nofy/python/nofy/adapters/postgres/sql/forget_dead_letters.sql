-- Whose deliveries went with their week. Those of an old week that is still there stay with it.
DELETE FROM dead_letters
WHERE id IN (
    SELECT l.id FROM dead_letters l
    WHERE l.kind = 'delivery' AND l.delivery_id < nofy_uuid_floor(now() - make_interval(secs => %(seconds)s))
        AND NOT EXISTS (SELECT FROM deliveries d WHERE d.id = l.delivery_id)
    LIMIT %(limit)s
)
RETURNING id
