-- What a person may change about work under way, and what they look for.

ALTER TABLE dead_letters ADD COLUMN redriven_at timestamptz;

GRANT UPDATE (send_at, expires_at) ON notifications TO nofy_api;
GRANT UPDATE (redriven_at) ON dead_letters TO nofy_api;

CREATE INDEX notifications_of_reference ON notifications (project_id, reference, id DESC) WHERE reference IS NOT NULL;
CREATE INDEX notifications_of_tag ON notifications USING gin (tags);
