-- What waits, in the order in which it is indexed: by its time, and by its id where many are due at the same moment. A
-- page of them then ends where it is full: a campaign of half a million, all due at nine, is a hundred pages and not one.
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE status IN ('scheduled', 'retrying');
DROP INDEX deliveries_waiting;
