-- Roles, and the few functions that tables and policies below rest on.
-- Every statement may run again: roles belong to the server, not to the database that is being migrated.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['nofy_api', 'nofy_pipeline', 'nofy_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOBYPASSRLS', wanted);
        END IF;
    END LOOP;
END
$$;

-- The project that the current transaction acts for. set_config(..., true) leaves an empty string behind it.
CREATE OR REPLACE FUNCTION nofy_project() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('nofy.project_id', true), '')::uuid $$;

-- The SHA-256 of the token that the caller presented.
CREATE OR REPLACE FUNCTION nofy_presented_token() RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT decode(nullif(current_setting('nofy.token_hash', true), ''), 'hex') $$;

-- The smallest UUIDv7-shaped value of a moment: partition bounds and "born since" are made of it.
CREATE OR REPLACE FUNCTION nofy_uuid_floor(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;
