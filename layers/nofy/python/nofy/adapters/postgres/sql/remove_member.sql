-- Locked first: of two owners who leave at once one stays.
SELECT FROM memberships WHERE project_id = %(project_id)s ORDER BY user_id FOR UPDATE;
WITH member AS (
    SELECT m.user_id, nofy_last_owner(m.project_id, m.user_id) AS last_owner
    FROM memberships m
    WHERE m.project_id = %(project_id)s AND m.user_id = %(user_id)s
), removed AS (
    DELETE FROM memberships m
    USING member
    WHERE m.project_id = %(project_id)s AND m.user_id = member.user_id AND NOT member.last_owner
    RETURNING m.user_id
), noted AS (
    /* noted */ FROM removed
)
SELECT last_owner FROM member
