-- One compare-and-set for a whole batch: a change applies where its delivery is still as it was read. What the
-- provider refused holds the integration, but only if the credential is still the one that was refused.
WITH change AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(old_statuses)s::text[], %(old_attempt_nos)s::int[], %(old_spents)s::int[],
        %(old_due_ats)s::timestamptz[],
        %(statuses)s::text[], %(attempt_nos)s::int[], %(spents)s::int[], %(due_ats)s::timestamptz[],
        %(message_ids)s::text[], %(reasons)s::text[], %(held_credentials)s::int[], %(decided_ats)s::timestamptz[]
    ) AS c (
        id, old_status, old_attempt_no, old_spent, old_due_at, status, attempt_no, spent, due_at, message_id, reason,
        held_credential, decided_at
    )
), locked AS (
    SELECT d.id
    FROM deliveries d
    JOIN change c ON c.id = d.id
    WHERE d.id = ANY (%(ids)s::uuid[]) AND d.status = c.old_status AND d.attempt_no = c.old_attempt_no AND d.due_at = c.old_due_at
    ORDER BY d.id
    FOR UPDATE OF d
), changed AS (
    UPDATE deliveries d
    SET status = c.status, attempt_no = c.attempt_no, spent = c.spent, due_at = c.due_at,
        provider_message_id = c.message_id, reason = c.reason,
        -- A report that changes nothing (a duplicate) is no progress.
        changed_at = CASE
            WHEN (d.status, d.attempt_no) = (c.status, c.attempt_no) THEN d.changed_at ELSE clock_timestamp()
        END
    FROM change c
    JOIN locked l ON l.id = c.id
    WHERE d.id = c.id
    RETURNING d.id, d.status, d.integration_id, c.held_credential, d.project_id, d.live, d.channel, d.redrive_no,
        d.spent, c.old_status, c.old_spent, c.old_attempt_no, c.old_due_at, c.decided_at
), held AS (
    UPDATE integrations i
    SET held_version = i.credential_version, changed_at = clock_timestamp()
    FROM (SELECT DISTINCT integration_id, held_credential FROM changed WHERE held_credential IS NOT NULL) AS h
    WHERE i.id = h.integration_id AND i.credential_version = h.held_credential
), told AS (
    -- An attempt may be told of twice in one batch, and an UPDATE would take either: the acceptance, else the first.
    SELECT DISTINCT ON (r.id, r.attempt_no) r.id, r.attempt_no, r.report
    FROM unnest(%(report_ids)s::uuid[], %(report_attempt_nos)s::int[], %(reports)s::jsonb[])
        WITH ORDINALITY AS r (id, attempt_no, report, position)
    ORDER BY r.id, r.attempt_no, r.report ->> 'outcome' = 'accepted' DESC, r.position
), acknowledged AS (
    UPDATE attempts a
    SET report = r.report, acknowledged_at = clock_timestamp()
    FROM told r
    JOIN changed c ON c.id = r.id
    WHERE a.delivery_id = r.id AND a.attempt_no = r.attempt_no
        -- An acceptance is the truth about an attempt whatever was reported before; nothing else may overwrite.
        AND (a.acknowledged_at IS NULL OR (r.report ->> 'outcome' = 'accepted' AND a.report ->> 'outcome' = 'unknown'))
), put_away AS MATERIALIZED (
    -- A function, and not one more part of this statement: it sees dead letters that were stored while this one waited.
    SELECT nofy_discard_accepted(array_agg(id), %(accepted)s) AS letters FROM changed WHERE status = 'sent'
), happened AS (
    SELECT ROW(project_id, live, channel, event, decided_at, CASE WHEN event = 'sent' THEN
            extract(epoch FROM decided_at - CASE
                WHEN old_attempt_no = 1 THEN old_due_at
                -- Tried before: it is due since the first attempt of this redrive was.
                ELSE coalesce((
                    SELECT min(a.due_at) FROM attempts a
                    WHERE a.delivery_id = changed.id AND a.redrive_no = changed.redrive_no
                ), old_due_at)
            END)::double precision * 1000
        END)::nofy_event AS event
    FROM changed, unnest(CASE
        WHEN status = 'sent' AND old_status IN ('failed', 'unknown') THEN '{corrected,sent}'
        WHEN status = 'sent' AND old_status <> 'sent' THEN '{sent}'
        WHEN status IN ('failed', 'unknown') AND old_status = 'sending' THEN '{failed}'
        WHEN status = 'retrying' AND spent > old_spent THEN '{retried}'
        ELSE '{}'
    END::text[]) AS event
), counted AS MATERIALIZED (
    -- (the counters after the letters: see nofy_count)
    SELECT nofy_count(array_agg(event)) AS cells FROM happened WHERE (SELECT letters FROM put_away) IS NOT NULL
)
SELECT id FROM changed WHERE (SELECT cells FROM counted) IS NOT NULL
