-- Queued or being sent, long past due, and nothing is happening: what should have healed it did not. It has longer than
-- what waits: its lease has to end, its record to be given up. Held work waits for a person, and is no part of this.
SELECT
    (
        SELECT count(*) FROM deliveries
        WHERE status = 'queued' AND due_at < now() - make_interval(secs => %(seconds)s)
            AND changed_at < now() - make_interval(secs => %(seconds)s)
    ) + (
        SELECT count(*) FROM deliveries
        WHERE status = 'sending' AND due_at < now() - make_interval(secs => %(seconds)s)
            AND changed_at < now() - make_interval(secs => %(seconds)s)
    )
