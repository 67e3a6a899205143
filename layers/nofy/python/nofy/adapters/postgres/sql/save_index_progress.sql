INSERT INTO index_progress (epoch, indexed_until) VALUES (%(epoch)s, %(indexed_until)s)
ON CONFLICT (only_row) DO UPDATE SET epoch = excluded.epoch, indexed_until = excluded.indexed_until
