-- The truth. notifications, deliveries and attempts are partitioned by range of the UUIDv7 itself: time partitions
-- whose primary keys are still unique.

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    name text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    token_hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE integrations (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL REFERENCES projects,
    channel text NOT NULL,
    provider text NOT NULL,
    settings jsonb NOT NULL,
    credential bytea NOT NULL,  -- sealed by KMS under the context of project and integration
    credential_version integer NOT NULL DEFAULT 1,
    held_version integer,       -- the version of the credential that its provider refused
    is_default boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX integrations_default ON integrations (project_id, channel) WHERE is_default;

CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    live boolean NOT NULL,
    class text NOT NULL,
    priority text NOT NULL,
    recipient jsonb NOT NULL,
    content jsonb NOT NULL,
    send_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    delivery_mode text NOT NULL,
    reference text,
    tags text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX notifications_of_project ON notifications (project_id, id DESC);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    notification_id uuid NOT NULL,
    project_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    channel text NOT NULL,
    provider text NOT NULL,
    priority text NOT NULL,
    live boolean NOT NULL,
    destination text NOT NULL,
    content jsonb NOT NULL,
    delivery_mode text NOT NULL,
    expires_at timestamptz NOT NULL,
    status text NOT NULL,
    due_at timestamptz NOT NULL,
    attempt_no integer NOT NULL DEFAULT 1,  -- fences: every lease takes a new one
    spent integer NOT NULL DEFAULT 0,       -- counts: what the retry policy looks at
    redrive_no integer NOT NULL DEFAULT 0,
    reason text,
    provider_message_id text,
    queued_partition integer,
    queued_offset bigint,
    history jsonb NOT NULL DEFAULT '[]',    -- what people and the reconciler did: moved, cancelled, requeued ...
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX deliveries_of_notification ON deliveries (notification_id);
CREATE INDEX deliveries_waiting ON deliveries (due_at) WHERE status IN ('scheduled', 'retrying');
CREATE INDEX deliveries_queued ON deliveries (changed_at) WHERE status = 'queued';
CREATE INDEX deliveries_held ON deliveries (integration_id) WHERE status = 'held';
CREATE INDEX deliveries_failed ON deliveries (changed_at) WHERE status = 'failed';

CREATE TABLE attempts (
    delivery_id uuid NOT NULL,
    attempt_no integer NOT NULL,
    due_at timestamptz NOT NULL,
    dispatched_at timestamptz NOT NULL,
    leased_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    credential_version integer NOT NULL,
    redrive_no integer NOT NULL,            -- attempts with the same one share the provider's idempotency key
    report jsonb,                           -- outcome and decision, once they are known
    acknowledged_at timestamptz,            -- when the acks handler applied the report
    PRIMARY KEY (delivery_id, attempt_no)
) PARTITION BY RANGE (delivery_id);
CREATE INDEX attempts_open ON attempts (lease_until) WHERE acknowledged_at IS NULL;

CREATE TABLE idempotency_keys (
    project_id uuid NOT NULL,
    live boolean NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    answer json NOT NULL,                   -- as it was given, to the order of its fields
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, live, key)
);

CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    project_id uuid,                        -- null for a record nobody could read
    kind text NOT NULL,
    reason text NOT NULL,
    fingerprint text NOT NULL,
    delivery_id uuid,
    attempt_no integer,
    source text,                            -- topic/partition/offset
    raw bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- The same failure is told more than once (an ack and a record; a batch handed over twice) and stored once.
CREATE UNIQUE INDEX dead_letters_of_attempt ON dead_letters (delivery_id, attempt_no) WHERE kind = 'delivery';
CREATE UNIQUE INDEX dead_letters_of_record ON dead_letters (source) WHERE kind <> 'delivery';
CREATE INDEX dead_letters_of_project ON dead_letters (project_id, id DESC);

-- How many deliveries were accepted, counted beside the rows and never derived from them: what "lost" is
-- measured against. Sixteen slots an hour, so that accepting transactions do not queue for one row.
CREATE TABLE accepted_per_hour (
    hour timestamptz NOT NULL,
    slot smallint NOT NULL,
    deliveries bigint NOT NULL,
    PRIMARY KEY (hour, slot)
);

-- One row: how far the index in Redis reaches, and of which epoch.
CREATE TABLE index_progress (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch text NOT NULL,
    indexed_until timestamptz NOT NULL
);
