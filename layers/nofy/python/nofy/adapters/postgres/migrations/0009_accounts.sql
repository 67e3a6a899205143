-- People, members, invitations, an audit log, and what tokens and integrations learnt on the way: scopes, ends, names.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nofy_console') THEN
        CREATE ROLE nofy_console LOGIN NOBYPASSRLS;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO nofy_console;
    END IF;
END
$$;
-- As 0006_sessions.sql sets the others, for the reasons that stand there.
ALTER ROLE nofy_console SET statement_timeout = '15s';
ALTER ROLE nofy_console SET timezone = 'UTC';
ALTER ROLE nofy_console SET enable_partition_pruning = off;
GRANT USAGE ON SCHEMA public TO nofy_console;

-- Who asks: set by functions that have verified a console token, for one transaction.
CREATE FUNCTION nofy_user() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('nofy.user_id', true), '')::uuid $$;

-- The SHA-256 of what an invitation's link holds.
CREATE FUNCTION nofy_presented_invitation() RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT decode(nullif(current_setting('nofy.invitation_hash', true), ''), 'hex') $$;

CREATE TABLE users (
    id uuid PRIMARY KEY,                    -- UUIDv5 of issuer and subject: the same wherever it is made
    issuer text NOT NULL,
    subject text NOT NULL,
    email text NOT NULL,
    email_verified boolean NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issuer, subject)
);

CREATE TABLE memberships (
    project_id uuid NOT NULL REFERENCES projects,
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX memberships_of_user ON memberships (user_id);

-- Whether nobody would own the project without this person.
CREATE FUNCTION nofy_last_owner(its_project uuid, its_user uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT coalesce(bool_or(user_id = its_user) AND bool_and(user_id = its_user), false)
    FROM memberships
    WHERE project_id = its_project AND role = 'owner'
$$;

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer')),
    email text,
    token_hash bytea NOT NULL UNIQUE,
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz
);
CREATE INDEX invitations_of_project ON invitations (project_id, id DESC);

CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'token', 'operator')),
    actor_id uuid NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    request_id text NOT NULL
);
CREATE INDEX audit_log_of_project ON audit_log (project_id, id DESC);

-- What was done stays written, whoever asks: no role has the right, and this holds for the owner as well.
CREATE FUNCTION nofy_append_only() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION nofy_append_only();

ALTER TABLE projects
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN retention_days integer CHECK (retention_days BETWEEN 1 AND 365),
    ADD COLUMN requests_per_second real CHECK (requests_per_second > 0),
    ADD COLUMN burst integer CHECK (burst > 0),
    ADD COLUMN notifications_per_day bigint CHECK (notifications_per_day > 0),
    ADD COLUMN erased_until uuid;           -- up to which notification retention has looked

ALTER TABLE api_keys
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{send,read,manage}',  -- what a token made without any may do
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN created_by uuid;
CREATE INDEX api_keys_of_project ON api_keys (project_id);

ALTER TABLE integrations
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN hint text NOT NULL DEFAULT '',
    ADD COLUMN checked jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN removed_at timestamptz;
CREATE INDEX integrations_of_project ON integrations (project_id);
-- (what was removed stays for the deliveries that were sent with it, and is nobody's default)
DROP INDEX integrations_default;
CREATE UNIQUE INDEX integrations_default ON integrations (project_id, channel) WHERE is_default AND removed_at IS NULL;
