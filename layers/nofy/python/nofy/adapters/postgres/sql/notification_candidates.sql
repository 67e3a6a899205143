SELECT n.id, n.priority, n.tags
FROM notifications n
WHERE n.project_id = %(project_id)s AND n.live = %(live)s
    AND (%(before)s::uuid IS NULL OR n.id < %(before)s)
    AND (%(since)s::uuid IS NULL OR n.id >= %(since)s)
    AND (%(reference)s::text IS NULL OR n.reference = %(reference)s)
ORDER BY n.id DESC
LIMIT %(budget)s
