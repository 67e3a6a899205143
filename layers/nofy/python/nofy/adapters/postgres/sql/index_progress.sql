SELECT epoch, indexed_until FROM index_progress
