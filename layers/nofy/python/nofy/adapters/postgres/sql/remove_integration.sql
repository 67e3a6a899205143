-- Rows of deliveries go on referring to it. Each status that is live has an index of its own.
WITH wanted AS (
    SELECT i.id, i.channel, i.is_default,
        EXISTS (SELECT FROM deliveries WHERE integration_id = i.id AND status IN ('scheduled', 'retrying'))
        OR EXISTS (SELECT FROM deliveries WHERE integration_id = i.id AND status = 'queued')
        OR EXISTS (SELECT FROM deliveries WHERE integration_id = i.id AND status = 'sending')
        OR EXISTS (SELECT FROM deliveries WHERE integration_id = i.id AND status = 'held') AS in_use
    FROM integrations i
    WHERE i.id = %(id)s AND i.project_id = %(project_id)s AND i.removed_at IS NULL
), removed AS (
    UPDATE integrations i
    SET removed_at = now(), changed_at = now(), is_default = false
    FROM wanted w
    WHERE i.id = w.id AND NOT w.in_use
    RETURNING i.id, w.channel, w.is_default
), heir AS (
    UPDATE integrations i
    SET is_default = true
    FROM removed r
    WHERE r.is_default AND i.id = (
        SELECT o.id FROM integrations o
        WHERE o.project_id = %(project_id)s AND o.channel = r.channel AND o.removed_at IS NULL AND o.id <> r.id
        ORDER BY o.created_at, o.id
        LIMIT 1
    )
), noted AS (
    /* noted */ FROM removed
)
SELECT in_use FROM wanted
