-- Who somebody is in a project, and what it can send with. One trip: the setting is local to it.
SELECT set_config('nofy.user_id', %(user_id)s::text, true);
SELECT m.role, coalesce(
    (SELECT jsonb_agg(jsonb_build_array(i.id, i.channel, i.provider, i.settings, i.is_default))
     FROM integrations i WHERE i.project_id = m.project_id AND i.removed_at IS NULL),
    '[]'
), p.requests_per_second, p.burst, p.notifications_per_day
FROM memberships m JOIN projects p ON p.id = m.project_id
WHERE m.project_id = %(project_id)s AND m.user_id = %(user_id)s AND p.archived_at IS NULL
