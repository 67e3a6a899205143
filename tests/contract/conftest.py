"""One PostgreSQL, one Redis and one Kafka for the whole session, each started by the first case that needs it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import postgres as postgres_server
from local import servers
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.migrate import migrate
from tests.contract.stores import PASSWORD, ROLES, Backend, MemoryBackend, PostgresBackend


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that ``nobody`` may pass through: PostgreSQL's programs need not be copied then."""
    with tempfile.TemporaryDirectory(prefix="nofy-contract-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server_dsn() -> Iterator[str]:
    """The owner's DSN. ``POSTGRES_PROGRAMS=/usr/lib/postgresql/15/bin`` runs the cases on another version."""
    with pytest.MonkeyPatch.context() as patch, open_folder() as folder:
        if programs := os.environ.get("POSTGRES_PROGRAMS"):
            patch.setattr(postgres_server, "installed_programs", lambda: Path(programs))
            patch.setattr(postgres_server, "_run_as", _without_builtin_locales(postgres_server._run_as))
        with servers.postgres(folder) as dsn:
            yield dsn


def _without_builtin_locales(run_as: Callable[..., None]) -> Callable[..., None]:
    """PostgreSQL has them since version 17."""
    return lambda account, command: run_as(account, [each for each in command if "builtin" not in each])


@pytest.fixture(scope="session")
def migrated(postgres_server_dsn: str) -> Iterator[PostgresBackend]:
    dsn = postgres_server_dsn
    owner = Database(dsn, application="contract-migrate")
    migrate(owner)
    owner.close()
    backend = PostgresBackend(dsn, servers.superuser_dsn(dsn))
    for role in ROLES:
        backend.superuser.run(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    yield backend
    backend.close()


@pytest.fixture
def postgres(migrated: PostgresBackend) -> PostgresBackend:
    migrated.clean()
    return migrated


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with open_folder() as folder, servers.redis(folder) as url:
        yield url


@pytest.fixture(scope="session")
def redis_cluster_url() -> Iterator[str]:
    with open_folder() as folder, servers.redis_cluster(folder) as url:
        yield url


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    with open_folder() as folder, servers.kafka(folder) as bootstrap:
        yield bootstrap


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Backend:
    return MemoryBackend() if request.param == "memory" else request.getfixturevalue("postgres")
