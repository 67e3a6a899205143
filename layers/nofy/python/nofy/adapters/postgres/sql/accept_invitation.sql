-- Of two who accept at once the second waits here, looks again and finds it accepted.
WITH accepted AS (
    UPDATE invitations i
    SET accepted_at = now(), accepted_by = %(user_id)s
    FROM projects p
    WHERE i.token_hash = decode(%(token_hash)s, 'hex') AND i.accepted_at IS NULL AND i.revoked_at IS NULL
        AND i.expires_at > now() AND p.id = i.project_id AND p.archived_at IS NULL
    RETURNING i.project_id, i.role
), joined AS (
    INSERT INTO memberships AS m (project_id, user_id, role)
    SELECT project_id, %(user_id)s, role FROM accepted
    -- Nobody loses anything by accepting: the higher of two roles.
    ON CONFLICT (project_id, user_id) DO UPDATE
    SET role = (ARRAY['owner', 'admin', 'developer', 'viewer'])[least(
        array_position(ARRAY['owner', 'admin', 'developer', 'viewer'], m.role),
        array_position(ARRAY['owner', 'admin', 'developer', 'viewer'], excluded.role)
    )]
), noted AS (
    /* noted */ FROM accepted
)
SELECT project_id FROM accepted
