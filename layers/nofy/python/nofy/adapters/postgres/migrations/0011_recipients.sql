-- Erasing what is stored about a person: when somebody asks for it, and when a project's time of retention is over.

CREATE INDEX deliveries_of_recipient ON deliveries (project_id, destination);
-- Rows come in the order of their time, so that a few pages of this one say where the old ones lie.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (created_at);

-- What retention passed by because it had not ended, or not for long enough: looked at again when it may have.
CREATE TABLE retained (
    notification_id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    since timestamptz NOT NULL              -- its last end as far as one can say: if live, the latest due time
);
ALTER TABLE retained ENABLE ROW LEVEL SECURITY;
ALTER TABLE retained FORCE ROW LEVEL SECURITY;
CREATE POLICY all_projects ON retained TO nofy_pipeline USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON retained TO nofy_pipeline;
-- An idempotency key is good for a day; afterwards its answer holds content for nobody.
GRANT SELECT, DELETE ON idempotency_keys TO nofy_pipeline;

-- Of a reason the part that is Nofy's own (``rejected_recipient``), without what a provider or a person wrote after it.
CREATE FUNCTION nofy_own_words(reason text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE WHEN split_part(reason, ':', 1) ~ '^[A-Za-z_ ]+$' THEN split_part(reason, ':', 1) ELSE 'erased' END
$$;

-- A report without anybody's words. It can still be read as a report.
CREATE FUNCTION nofy_erased_report(report jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT jsonb_set(
        jsonb_set(report, '{decided,reason}', '"erased"', report #> '{decided,reason}' IS NOT NULL),
        '{reason}', '"erased"', report ? 'reason'
    )
$$;

-- The answer to a request without its content and addresses: its ids, statuses and times, in the same order.
CREATE FUNCTION nofy_erased_answer(answer json) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
AS $$
BEGIN
    RETURN CASE json_typeof(answer)
        WHEN 'object' THEN (
            SELECT coalesce(json_object_agg(key, CASE
                WHEN key IN ('to', 'content', 'metadata') THEN json '{}'
                WHEN key = 'tags' THEN json '[]'
                WHEN key = 'reference' THEN json 'null'
                WHEN key = 'destination' THEN json '"erased"'
                ELSE nofy_erased_answer(value)
            END), '{}')
            FROM json_each(answer)
        )
        WHEN 'array' THEN (
            SELECT coalesce(json_agg(nofy_erased_answer(value)), '[]') FROM json_array_elements(answer)
        )
        ELSE answer
    END;
END
$$;

-- Blanks these notifications with all that was made of them, and cancels what waits: a lease and this lock the same
-- rows, and whoever comes second sees what the other did. What is being sent stays as it is, and its notification too,
-- so that it is found when somebody asks again. ``only_ended``: a notification with anything live is left alone.
--
-- Ids, statuses and times stay. Erased content is '{}', which no rendered content is: what is erased is not erased
-- again. Open dead letters are put away, so that nothing without content is redriven.
CREATE FUNCTION nofy_erase(
    ids uuid[], only_ended boolean,
    OUT erased uuid[], OUT blanked bigint, OUT cancelled bigint, OUT in_flight bigint, OUT left_alone uuid[]
)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    waiting constant text[] := '{scheduled,retrying,queued,held}';
    touched uuid[];
BEGIN
    PERFORM FROM deliveries d WHERE d.notification_id = ANY (ids) ORDER BY d.id FOR UPDATE;
    left_alone := ARRAY(
        SELECT DISTINCT d.notification_id FROM deliveries d
        WHERE only_ended AND d.notification_id = ANY (ids) AND (d.status = 'sending' OR d.status = ANY (waiting))
    );
    ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(left_alone));

    SELECT coalesce(array_agg(d.id) FILTER (WHERE d.status <> 'sending'), '{}'),
        count(*) FILTER (WHERE d.status <> 'sending'),
        count(*) FILTER (WHERE d.status = ANY (waiting)),
        count(*) FILTER (WHERE d.status = 'sending')
    INTO touched, blanked, cancelled, in_flight
    FROM deliveries d
    WHERE d.notification_id = ANY (ids) AND d.content <> '{}';

    UPDATE deliveries d
    SET status = CASE WHEN d.status = ANY (waiting) THEN 'cancelled' ELSE d.status END,
        changed_at = CASE WHEN d.status = ANY (waiting) THEN clock_timestamp() ELSE d.changed_at END,
        reason = CASE WHEN d.status = ANY (waiting) THEN 'its recipient was erased' ELSE nofy_own_words(d.reason) END,
        destination = 'erased', content = '{}',
        history = (
            SELECT coalesce(jsonb_agg(step - 'reason' ORDER BY place), '[]')
            FROM jsonb_array_elements(d.history) WITH ORDINALITY AS told (step, place)
        )
    WHERE d.id = ANY (touched);
    UPDATE attempts a SET report = nofy_erased_report(a.report)
    WHERE a.delivery_id = ANY (touched) AND a.report IS NOT NULL;

    PERFORM FROM dead_letters l
    WHERE l.kind = 'delivery' AND l.delivery_id = ANY (touched) ORDER BY l.delivery_id FOR UPDATE;
    UPDATE dead_letters l
    SET reason = nofy_own_words(l.reason),
        discarded_at = CASE WHEN l.redriven_at IS NULL THEN coalesce(l.discarded_at, clock_timestamp()) END,
        discard_reason = CASE WHEN l.redriven_at IS NULL THEN 'erased' END
    WHERE l.kind = 'delivery' AND l.delivery_id = ANY (touched);

    WITH gone AS (
        UPDATE notifications n
        SET recipient = '{}', content = '{}', metadata = '{}', tags = '{}', reference = NULL
        WHERE n.id = ANY (ids) AND n.content <> '{}'
            AND NOT EXISTS (SELECT FROM deliveries d WHERE d.notification_id = n.id AND d.status = 'sending')
        RETURNING n.id
    )
    SELECT coalesce(array_agg(id), '{}') INTO erased FROM gone;
END
$$;
REVOKE ALL ON FUNCTION nofy_erase(uuid[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_erase(uuid[], boolean) TO nofy_console, nofy_pipeline;
