WITH changed AS (
    UPDATE projects
    SET name = coalesce(%(name)s, name), retention_days = coalesce(%(retention_days)s, retention_days)
    WHERE id = %(project_id)s
    RETURNING id, name, created_at, archived_at, retention_days
), noted AS (
    /* noted */ FROM changed
)
SELECT id, name, created_at, archived_at, retention_days FROM changed
