-- How our roles' sessions are set, and that they may sign in by IAM where there is any.
--
-- On the roles, not on each connection: an RDS Proxy refuses connections that bring options, and keeps a session that
-- says SET for itself alone.

DO $$
DECLARE
    ours text;
BEGIN
    FOREACH ours IN ARRAY ARRAY['nofy_api', 'nofy_pipeline', 'nofy_operator'] LOOP
        -- A producer behind API Gateway has 29 s in all.
        EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', ours, '15s');
        EXECUTE format('ALTER ROLE %I SET timezone = %L', ours, 'UTC');
        -- PostgreSQL 18.6 crashes, and every connection with it, where a statement that waited for a row looks at it
        -- again (EvalPlanQual) while its plan prunes partitions as it runs: an ack that met another transaction was
        -- enough. Without pruning, statements on 500 rows were no slower with 60 weekly partitions.
        EXECUTE format('ALTER ROLE %I SET enable_partition_pruning = off', ours);
        -- RDS makes this role; who has it signs in with a token, and with a token only.
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
            EXECUTE format('GRANT rds_iam TO %I', ours);
        END IF;
    END LOOP;
END
$$;
