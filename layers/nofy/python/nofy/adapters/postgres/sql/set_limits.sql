WITH changed AS (
    UPDATE projects
    SET requests_per_second = %(requests_per_second)s, burst = %(burst)s,
        notifications_per_day = %(notifications_per_day)s, weight = coalesce(%(weight)s, 1)
    WHERE id = %(project_id)s
    RETURNING id
), noted AS (
    /* noted */ FROM changed
)
SELECT id FROM changed
