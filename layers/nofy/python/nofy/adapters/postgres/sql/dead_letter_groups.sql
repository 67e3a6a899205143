-- Failures with one cause, the latest cause first. PostgreSQL has max(uuid) from 18 on; hexadecimal sorts as its bytes.
WITH grouped AS (
    SELECT l.fingerprint, count(*) AS letters, min(l.created_at) AS first_seen, max(l.created_at) AS last_seen,
        count(*) FILTER (WHERE l.redriven_at IS NULL AND l.discarded_at IS NULL) AS open,
        max(l.id::text COLLATE "C")::uuid AS latest
    FROM dead_letters l
    WHERE l.project_id = %(project_id)s AND l.live = %(live)s AND l.kind = 'delivery'
    GROUP BY l.fingerprint
)
SELECT g.fingerprint, g.letters, g.open, g.first_seen, g.last_seen, l.id, l.reason, l.channel
FROM grouped g
JOIN dead_letters l ON l.id = g.latest
WHERE %(before)s::uuid IS NULL OR g.latest < %(before)s
ORDER BY g.latest DESC
LIMIT %(limit)s
