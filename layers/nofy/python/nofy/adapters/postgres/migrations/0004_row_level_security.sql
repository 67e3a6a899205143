-- Walls between projects: enabled and FORCED on every tenant table, so that not even their owner walks through.
-- The API acts for the project it has set in its transaction; the pipeline and the operator act for all.

DO $$
DECLARE
    tenant_table text;
    owner_column text;
BEGIN
    FOR tenant_table, owner_column IN VALUES
        ('projects', 'id'), ('api_keys', 'project_id'), ('integrations', 'project_id'),
        ('notifications', 'project_id'), ('deliveries', 'project_id'), ('idempotency_keys', 'project_id'),
        ('dead_letters', 'project_id')
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_project ON %I TO nofy_api USING (%I = nofy_project())', tenant_table, owner_column
        );
        EXECUTE format('CREATE POLICY all_projects ON %I TO nofy_pipeline, nofy_operator USING (true)', tenant_table);
    END LOOP;
END
$$;

-- An attempt belongs to the project of its delivery.
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_project ON attempts TO nofy_api
    USING (EXISTS (SELECT FROM deliveries d WHERE d.id = attempts.delivery_id AND d.project_id = nofy_project()));
CREATE POLICY all_projects ON attempts TO nofy_pipeline, nofy_operator USING (true);

-- A token may be looked up by whoever presents it: that is how a request finds out which project it acts for.
CREATE POLICY presented ON api_keys FOR SELECT TO nofy_api USING (token_hash = nofy_presented_token());
CREATE POLICY of_presented ON integrations FOR SELECT TO nofy_api
    USING (project_id = (SELECT k.project_id FROM api_keys k WHERE k.token_hash = nofy_presented_token()));

GRANT USAGE ON SCHEMA public TO nofy_api, nofy_pipeline, nofy_operator;

GRANT SELECT ON projects, api_keys TO nofy_api;
GRANT SELECT (id, project_id, channel, provider, settings, is_default, held_version, credential_version)
    ON integrations TO nofy_api;
GRANT SELECT, INSERT ON notifications TO nofy_api;
GRANT SELECT, INSERT, UPDATE ON deliveries TO nofy_api;
GRANT SELECT ON attempts, dead_letters TO nofy_api;
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO nofy_api;
GRANT SELECT, INSERT, UPDATE ON accepted_per_hour TO nofy_api;

GRANT SELECT, INSERT, UPDATE ON deliveries, attempts, dead_letters, index_progress TO nofy_pipeline;
GRANT SELECT ON projects, notifications, accepted_per_hour TO nofy_pipeline;
GRANT SELECT, UPDATE ON integrations TO nofy_pipeline;
REVOKE ALL ON FUNCTION nofy_ensure_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nofy_ensure_partitions(timestamptz) TO nofy_pipeline;

GRANT SELECT, INSERT, UPDATE ON projects, api_keys, integrations TO nofy_operator;
