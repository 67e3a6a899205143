-- The filters of the list of notifications: each is an index in the order of the list, so that a page ends where it is
-- full, however much history lies behind it. What has no index (tag, priority, a channel, the statuses of what is under
-- way) is looked for among so many candidates a page (adapters/postgres/reading.py).

-- A project's few test notifications are not looked for among all of its live ones.
CREATE INDEX notifications_of_tests ON notifications (project_id, id DESC) WHERE NOT live;

-- An address can have as many deliveries as there are (one Slack channel): in the list's order, within the address.
DROP INDEX deliveries_of_recipient;
CREATE INDEX deliveries_of_recipient ON deliveries (project_id, destination, notification_id DESC);

-- The statuses that somebody looks for because something went wrong. A delivery that is simply sent is never in it.
CREATE INDEX deliveries_of_note ON deliveries (project_id, status, notification_id DESC)
    WHERE status IN ('retrying', 'held', 'failed', 'unknown', 'undelivered', 'expired', 'cancelled');
