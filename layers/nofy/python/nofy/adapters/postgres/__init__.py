"""PostgreSQL: the truth. SQL lives in ``sql/*.sql``, the schema in ``migrations/*.sql``."""
