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
