"""The servers of the contract suite, for tests that take the pipeline's parts together."""

from tests.contract.conftest import kafka_bootstrap, migrated, postgres, postgres_server_dsn, redis_url

__all__ = ["kafka_bootstrap", "migrated", "postgres", "postgres_server_dsn", "redis_url"]
