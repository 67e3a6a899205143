-- One compare-and-set for a whole batch: a change applies where its delivery is still as it was read. What the
-- provider refused holds the integration, but only if the credential is still the one that was refused.
WITH change AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(old_statuses)s::text[], %(old_attempt_nos)s::int[], %(old_due_ats)s::timestamptz[],
        %(statuses)s::text[], %(attempt_nos)s::int[], %(spents)s::int[], %(due_ats)s::timestamptz[],
        %(message_ids)s::text[], %(reasons)s::text[], %(held_credentials)s::int[]
    ) AS c (
        id, old_status, old_attempt_no, old_due_at, status, attempt_no, spent, due_at, message_id, reason,
        held_credential
    )
), locked AS (
    SELECT d.id
    FROM deliveries d
    JOIN change c ON c.id = d.id
    WHERE d.status = c.old_status AND d.attempt_no = c.old_attempt_no AND d.due_at = c.old_due_at
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
    RETURNING d.id, d.integration_id, c.held_credential
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
)
SELECT id FROM changed
