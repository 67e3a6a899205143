-- Everything a request promises, in one statement and so in one transaction.
WITH planned AS (
    SELECT * FROM jsonb_to_recordset(%(notifications)s::jsonb) AS x (
        id uuid, class text, priority text, recipient jsonb, content jsonb, send_at timestamptz,
        expires_at timestamptz, delivery_mode text, reference text, tags jsonb, metadata jsonb,
        created_at timestamptz
    )
), stored_notifications AS (
    INSERT INTO notifications (
        id, project_id, live, class, priority, recipient, content, send_at, expires_at, delivery_mode, reference,
        tags, metadata, created_at
    )
    SELECT id, %(project_id)s, %(live)s, class, priority, recipient, content, send_at, expires_at, delivery_mode,
        reference, ARRAY(SELECT jsonb_array_elements_text(tags)), metadata, created_at
    FROM planned
), stored_deliveries AS (
    INSERT INTO deliveries (
        id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
        delivery_mode, expires_at, status, due_at, created_at, changed_at
    )
    SELECT d.id, n.id, %(project_id)s, d.integration_id, d.channel, d.provider, n.priority, %(live)s,
        d.destination, d.content, n.delivery_mode, n.expires_at, 'scheduled', n.send_at, n.created_at, n.created_at
    FROM jsonb_to_recordset(%(deliveries)s::jsonb) AS d (
        id uuid, notification_id uuid, integration_id uuid, channel text, provider text, destination text,
        content jsonb
    )
    JOIN planned n ON n.id = d.notification_id
), kept_answer AS (
    INSERT INTO idempotency_keys (project_id, live, key, request_hash, answer)
    SELECT %(project_id)s, %(live)s, %(key)s, %(request_hash)s, %(answer)s::json
    WHERE %(key)s::text IS NOT NULL
)
INSERT INTO accepted_per_hour AS counted (hour, slot, deliveries)
SELECT date_trunc('hour', now()), %(slot)s, %(count)s
ON CONFLICT (hour, slot) DO UPDATE SET deliveries = counted.deliveries + excluded.deliveries
