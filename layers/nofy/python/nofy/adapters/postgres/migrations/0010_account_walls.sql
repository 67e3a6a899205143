-- The walls of 0004 for the new tables, and the console's doors in all of them.

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
        EXECUTE format(
            'CREATE POLICY own_project_of_console ON %I TO nofy_console USING (%I = nofy_project())',
            tenant_table, owner_column
        );
    END LOOP;
    FOREACH tenant_table IN ARRAY ARRAY['memberships', 'invitations', 'audit_log'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_project ON %I TO nofy_api, nofy_console USING (project_id = nofy_project())', tenant_table
        );
        EXECUTE format('CREATE POLICY all_projects ON %I TO nofy_operator USING (true)', tenant_table);
    END LOOP;
END
$$;
CREATE POLICY own_project_of_console ON attempts TO nofy_console
    USING (EXISTS (SELECT FROM deliveries d WHERE d.id = attempts.delivery_id AND d.project_id = nofy_project()));

-- A person sees where they are a member, before they choose a project.
CREATE POLICY of_member ON memberships FOR SELECT TO nofy_api, nofy_console USING (user_id = nofy_user());
CREATE POLICY of_member ON projects FOR SELECT TO nofy_api, nofy_console
    USING (id IN (SELECT m.project_id FROM memberships m WHERE m.user_id = nofy_user()));
CREATE POLICY of_member ON integrations FOR SELECT TO nofy_api, nofy_console
    USING (project_id IN (SELECT m.project_id FROM memberships m WHERE m.user_id = nofy_user()));
CREATE POLICY presented ON projects FOR SELECT TO nofy_api
    USING (id = (SELECT k.project_id FROM api_keys k WHERE k.token_hash = nofy_presented_token()));

-- The console authenticates API tokens of scope manage the way the producer does.
CREATE POLICY presented_to_console ON api_keys FOR SELECT TO nofy_console USING (token_hash = nofy_presented_token());
CREATE POLICY of_presented_to_console ON integrations FOR SELECT TO nofy_console
    USING (project_id = (SELECT k.project_id FROM api_keys k WHERE k.token_hash = nofy_presented_token()));
CREATE POLICY presented_to_console ON projects FOR SELECT TO nofy_console
    USING (id = (SELECT k.project_id FROM api_keys k WHERE k.token_hash = nofy_presented_token()));

-- (of which only last_used_at may be written: see the grants)
CREATE POLICY used ON api_keys FOR UPDATE TO nofy_api, nofy_console USING (token_hash = nofy_presented_token());

-- Whoever holds the link may look at the invitation: that is how accepting it finds out which project it is for.
CREATE POLICY presented ON invitations FOR SELECT TO nofy_console USING (token_hash = nofy_presented_invitation());

-- A person, and the people one shares the chosen project with.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY oneself ON users TO nofy_console USING (id = nofy_user());
CREATE POLICY fellow_members ON users FOR SELECT TO nofy_console
    USING (id IN (SELECT m.user_id FROM memberships m WHERE m.project_id = nofy_project()));
CREATE POLICY everybody ON users TO nofy_operator USING (true);

GRANT SELECT, INSERT, UPDATE ON users TO nofy_console;
-- (limits are an operator's to set)
GRANT SELECT, INSERT (id, name), UPDATE (name, retention_days, archived_at) ON projects TO nofy_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO nofy_console;
GRANT SELECT, INSERT, UPDATE ON invitations TO nofy_console;
GRANT SELECT, INSERT ON api_keys TO nofy_console;
GRANT UPDATE (last_used_at, revoked_at) ON api_keys TO nofy_console;
GRANT SELECT, INSERT ON audit_log TO nofy_console;
GRANT INSERT, UPDATE ON integrations TO nofy_console;
-- (never the ciphertext: what is sealed is read by the pipeline alone, on its way to a sender)
GRANT SELECT (
    id, project_id, channel, provider, settings, is_default, held_version, credential_version, name, hint, checked,
    removed_at, created_at, changed_at
) ON integrations TO nofy_console;
GRANT SELECT, UPDATE ON notifications, deliveries, dead_letters TO nofy_console;
GRANT SELECT, UPDATE ON attempts TO nofy_console;
GRANT SELECT, UPDATE (answer) ON idempotency_keys TO nofy_console;
-- An invitation that goes out by e-mail is a notification, accepted by the statement that the producer uses.
GRANT INSERT ON notifications, deliveries, idempotency_keys TO nofy_console;
GRANT SELECT, INSERT, UPDATE ON accepted_per_hour TO nofy_console;

GRANT SELECT (name, hint, removed_at) ON integrations TO nofy_api;
GRANT SELECT ON memberships TO nofy_api;
GRANT UPDATE (last_used_at) ON api_keys TO nofy_api;
GRANT INSERT ON audit_log TO nofy_api;
GRANT SELECT, INSERT, UPDATE ON memberships TO nofy_operator;
GRANT SELECT ON users TO nofy_operator;
GRANT SELECT, INSERT ON audit_log TO nofy_operator;

-- Retention blanks what has ended.
GRANT UPDATE (recipient, content, metadata, reference, tags) ON notifications TO nofy_pipeline;
GRANT UPDATE (erased_until) ON projects TO nofy_pipeline;
