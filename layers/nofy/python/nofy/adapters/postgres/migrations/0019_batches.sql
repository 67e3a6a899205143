-- The pipeline's statements on batches, as functions, whose plans a session keeps: as text they were parsed and planned
-- for every batch, which takes longer than a small batch itself (of 6.5 ms for a delivery on its way 4.5, with five weeks
-- of partitions; more with more weeks), and a delivery waits for it. As functions and not as prepared statements, for
-- which an RDS Proxy would keep a session.
--
-- A kept plan knows nothing of the batch it is for, so what the planner would choose wrongly is not left to it. All of
-- these functions are set (at the end) to
--   plan_cache_mode      one plan from the first call on, rather than five that are planned for five batches
--   enable_seqscan       rows are looked up by their keys, whatever waits beside them
--   enable_nestloop      no joins of each with each: the planner takes any array for ten elements. Every table in a join
--                        is therefore asked for its keys by "= ANY", and what comes of it is joined by hash
-- Their parameters are plural, so that none has the name of a column.

-- Claimed deliveries that still wait for their time, with what the dispatcher decides on.
CREATE FUNCTION nofy_waiting(ids uuid[]) RETURNS TABLE (
    id uuid, attempt_no integer, due_at timestamptz, project_id uuid, channel text, priority text, destination text,
    expires_at timestamptz, held boolean, weight smallint
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT * FROM deliveries d WHERE d.id = ANY (ids) AND d.status IN ('scheduled', 'retrying')
    )
    SELECT d.id, d.attempt_no, d.due_at, d.project_id, d.channel, d.priority, d.destination, d.expires_at,
        i.held_version IS NOT NULL AND i.held_version = i.credential_version, p.weight
    FROM found d
    JOIN (
        SELECT * FROM integrations WHERE id = ANY (ARRAY(SELECT integration_id FROM found))
    ) AS i ON i.id = d.integration_id
    JOIN (
        SELECT * FROM projects WHERE id = ANY (ARRAY(SELECT project_id FROM found))
    ) AS p ON p.id = d.project_id;
END
$$;

-- Only where the fence still holds: the consumer may have leased the record already. It may also be leasing just
-- now, in id order: so are the rows locked here, or the two would deadlock.
CREATE FUNCTION nofy_mark_queued(
    ids uuid[], attempt_nos integer[], due_ats timestamptz[], partitions integer[], offsets bigint[]
) RETURNS void
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    WITH placed AS (
        SELECT d.id, q.at_partition, q.at_offset
        FROM deliveries d
        JOIN unnest(ids, attempt_nos, due_ats, partitions, offsets)
            AS q (id, attempt_no, due_at, at_partition, at_offset) ON q.id = d.id
        WHERE d.id = ANY (ids) AND d.attempt_no = q.attempt_no AND d.due_at = q.due_at
            AND d.status IN ('scheduled', 'retrying')
        ORDER BY d.id
        FOR UPDATE OF d
    )
    UPDATE deliveries d
    SET status = 'queued', changed_at = clock_timestamp(), queued_partition = p.at_partition,
        queued_offset = p.at_offset
    FROM placed p
    WHERE d.id = ANY (ids) AND d.id = p.id;
END
$$;

-- The guard. Rows are locked in id order, so that two consumers cannot deadlock; a row whose fence does not hold
-- any more (cancelled, moved, doubled) falls away. READ COMMITTED looks at the row again after waiting for it.
CREATE FUNCTION nofy_lease(
    ids uuid[], attempt_nos integer[], due_ats timestamptz[], dispatched_ats timestamptz[], seconds integer
) RETURNS TABLE (
    id uuid, attempt_no integer, due_at timestamptz, project_id uuid, notification_id uuid, integration_id uuid,
    channel text, provider text, priority text, destination text, content jsonb, settings jsonb, credential bytea,
    credential_version integer, delivery_mode text, expires_at timestamptz, spent integer, redrive_no integer,
    live boolean, in_doubt_since timestamptz
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH wanted AS (
        SELECT * FROM unnest(ids, attempt_nos, due_ats, dispatched_ats) AS w (id, attempt_no, due_at, dispatched_at)
    ), locked AS (
        SELECT d.id, w.dispatched_at
        FROM deliveries d
        JOIN wanted w ON w.id = d.id
        WHERE d.id = ANY (ids) AND d.attempt_no = w.attempt_no AND d.due_at = w.due_at
            AND d.status IN ('scheduled', 'queued', 'retrying')
        ORDER BY d.id
        FOR UPDATE OF d
    ), sending AS (
        UPDATE deliveries d
        SET status = 'sending', changed_at = clock_timestamp()
        FROM (SELECT DISTINCT ON (id) id, dispatched_at FROM locked) AS l
        WHERE d.id = ANY (ids) AND d.id = l.id
        RETURNING d.*, l.dispatched_at
    ), through AS MATERIALIZED (
        SELECT * FROM integrations WHERE id = ANY (ARRAY(SELECT integration_id FROM sending))
    ), begun AS (
        INSERT INTO attempts (
            delivery_id, attempt_no, due_at, dispatched_at, leased_at, lease_until, credential_version, redrive_no
        )
        SELECT s.id, s.attempt_no, s.due_at, s.dispatched_at, clock_timestamp(),
            clock_timestamp() + make_interval(secs => seconds), i.credential_version, s.redrive_no
        FROM sending s
        JOIN through i ON i.id = s.integration_id
        ON CONFLICT DO NOTHING
        RETURNING delivery_id
    )
    SELECT s.id, s.attempt_no, s.due_at, s.project_id, s.notification_id, s.integration_id, s.channel, s.provider,
        s.priority, s.destination, s.content, i.settings, i.credential, i.credential_version, s.delivery_mode,
        s.expires_at, s.spent, s.redrive_no, s.live,
        -- Since when a call under this idempotency key may have been taken without our knowing. Who was never tried
        -- before is not looked for in every week's attempts.
        CASE WHEN s.attempt_no > 1 THEN (
            SELECT min(a.leased_at) FROM attempts a
            WHERE a.delivery_id = s.id AND a.redrive_no = s.redrive_no AND a.report ->> 'outcome' = 'unknown'
        ) END
    FROM sending s
    JOIN through i ON i.id = s.integration_id
    JOIN begun b ON b.delivery_id = s.id;
END
$$;

-- What an ack is held against.
CREATE FUNCTION nofy_states(ids uuid[]) RETURNS TABLE (
    id uuid, status text, attempt_no integer, spent integer, due_at timestamptz, channel text, priority text,
    integration_id uuid, provider_message_id text, reason text, project_id uuid
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT id, status, attempt_no, spent, due_at, channel, priority, integration_id, provider_message_id, reason,
        project_id
    FROM deliveries
    WHERE id = ANY (ids);
END
$$;

-- One compare-and-set for a whole batch: a change applies where its delivery is still as it was read. What the
-- provider refused holds the integration, but only if the credential is still the one that was refused. Returns whose
-- changes applied.
CREATE FUNCTION nofy_apply_changes(
    ids uuid[], old_statuses text[], old_attempt_nos integer[], old_spents integer[], old_due_ats timestamptz[],
    statuses text[], attempt_nos integer[], spents integer[], due_ats timestamptz[], message_ids text[],
    reasons text[], held_credentials integer[], decided_ats timestamptz[],
    report_ids uuid[], report_attempt_nos integer[], reports jsonb[],
    why_put_away text
) RETURNS SETOF uuid
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH change AS (
        SELECT * FROM unnest(
            ids, old_statuses, old_attempt_nos, old_spents, old_due_ats, statuses, attempt_nos, spents, due_ats,
            message_ids, reasons, held_credentials, decided_ats
        ) AS c (
            id, old_status, old_attempt_no, old_spent, old_due_at, status, attempt_no, spent, due_at, message_id,
            reason, held_credential, decided_at
        )
    ), locked AS (
        SELECT d.id
        FROM deliveries d
        JOIN change c ON c.id = d.id
        WHERE d.id = ANY (ids) AND d.status = c.old_status AND d.attempt_no = c.old_attempt_no
            AND d.due_at = c.old_due_at
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
        WHERE d.id = ANY (ids) AND d.id = c.id
        RETURNING d.id, d.status, d.integration_id, c.held_credential, d.project_id, d.live, d.channel, d.redrive_no,
            d.spent, c.old_status, c.old_spent, c.old_attempt_no, c.old_due_at, c.decided_at
    ), refused AS (
        SELECT DISTINCT integration_id, held_credential FROM changed WHERE held_credential IS NOT NULL
    ), held AS (
        UPDATE integrations i
        SET held_version = i.credential_version, changed_at = clock_timestamp()
        FROM refused r
        WHERE i.id = ANY (ARRAY(SELECT integration_id FROM refused)) AND i.id = r.integration_id
            AND i.credential_version = r.held_credential
    ), told AS (
        -- An attempt may be told of twice in one batch, and an UPDATE would take either: the acceptance, else the first.
        SELECT DISTINCT ON (r.id, r.attempt_no) r.id, r.attempt_no, r.report
        FROM unnest(report_ids, report_attempt_nos, reports) WITH ORDINALITY AS r (id, attempt_no, report, position)
        ORDER BY r.id, r.attempt_no, r.report ->> 'outcome' = 'accepted' DESC, r.position
    ), acknowledged AS (
        UPDATE attempts a
        SET report = r.report, acknowledged_at = clock_timestamp()
        FROM told r
        JOIN changed c ON c.id = r.id
        WHERE a.delivery_id = ANY (report_ids) AND a.delivery_id = r.id AND a.attempt_no = r.attempt_no
            -- An acceptance is the truth about an attempt whatever was reported before; nothing else may overwrite.
            AND (
                a.acknowledged_at IS NULL
                OR (r.report ->> 'outcome' = 'accepted' AND a.report ->> 'outcome' = 'unknown')
            )
    ), put_away AS MATERIALIZED (
        -- A function, and not one more part of this statement: it sees dead letters that were stored while this one
        -- waited.
        SELECT nofy_discard_accepted(array_agg(id), why_put_away) AS letters FROM changed WHERE status = 'sent'
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
    SELECT id FROM changed WHERE (SELECT cells FROM counted) IS NOT NULL;
END
$$;

DO $$
DECLARE
    ours text;
BEGIN
    FOREACH ours IN ARRAY ARRAY[
        'nofy_waiting', 'nofy_mark_queued', 'nofy_lease', 'nofy_states', 'nofy_apply_changes'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %I SET search_path = public, pg_temp', ours);
        EXECUTE format('ALTER FUNCTION %I SET plan_cache_mode = force_generic_plan', ours);
        EXECUTE format('ALTER FUNCTION %I SET enable_seqscan = off', ours);
        EXECUTE format('ALTER FUNCTION %I SET enable_nestloop = off', ours);
        EXECUTE format('REVOKE ALL ON FUNCTION %I FROM PUBLIC', ours);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I TO nofy_pipeline', ours);
    END LOOP;
END
$$;
