SELECT
    (
        SELECT coalesce(floor(extract(epoch FROM clock_timestamp() - min(changed_at)))::int, 0)
        FROM deliveries
        WHERE status = 'queued'
    ) AS oldest_queued_seconds,
    (SELECT count(*)::int FROM integrations WHERE held_version = credential_version) AS held_integrations
