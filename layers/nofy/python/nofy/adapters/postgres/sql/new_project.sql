WITH made AS (
    INSERT INTO projects (id, name) VALUES (%(project_id)s, %(name)s)
    RETURNING id, name, created_at, archived_at, retention_days
), owned AS (
    INSERT INTO memberships (project_id, user_id, role) SELECT id, %(owner)s, 'owner' FROM made
), noted AS (
    /* noted */ FROM made
)
SELECT id, name, created_at, archived_at, retention_days FROM made
