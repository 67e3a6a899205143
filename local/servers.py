"""Throw-away servers for tests: real PostgreSQL, Redis and Kafka on free ports, in a folder you give.

    with servers.postgres(tmp_path) as dsn: ...      # owner of an empty database, rights as on RDS
    with servers.redis(tmp_path) as url: ...
    with servers.kafka(tmp_path) as bootstrap: ...   # no topics, and none made by themselves

Each is gone, with its data, when the block ends. Sessions should share one of each: PostgreSQL takes about a
second to start, Apache Kafka about three.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local import kafka_broker, processes, redis_server
from local import postgres as postgres_server
from local.choices import KafkaKind, chosen_kafka
from local.ports import LOOPBACK, free_ports
from local.processes import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Yields the owner's DSN; :func:`superuser_dsn` turns it into the superuser's."""
    with _home(directory / "postgres") as home:
        server = postgres_server.Postgres(free_ports(1)[0], secrets.token_urlsafe(16))
        record = postgres_server.start(home, server)
        postgres_server.finish(home, server, record)
        yield server.dsn()


def superuser_dsn(dsn: str) -> str:
    return dsn.replace(f"//{postgres_server.ADMIN}:", f"//{postgres_server.SUPERUSER}:", 1)


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    with _home(directory / "redis") as home:
        port = free_ports(1)[0]
        redis_server.finish(home, port, redis_server.start(home, port))
        yield redis_server.url(port)


@contextmanager
def redis_cluster(directory: Path) -> Iterator[str]:
    """A cluster of one node: it refuses what concerns several slots at once. Takes a second and a half to form."""
    with _home(directory / "redis-cluster") as home:
        # The nodes' own bus takes the port ten thousand above, which must be one (before Redis 7 it cannot be chosen).
        port = next(each for each in free_ports(50) if each + 10_000 < 65_536)
        redis_server.finish(home, port, redis_server.start(home, port, "--cluster-enabled", "yes"))
        redis_server.become_cluster(port)
        yield redis_server.url(port)


@contextmanager
def kafka(directory: Path, kind: KafkaKind | None = None) -> Iterator[str]:
    """The broker that ``KAFKA`` names, or the one this machine can run. External: ``KAFKA_BOOTSTRAP`` as it is."""
    chosen = kind or chosen_kafka(os.environ)
    if chosen is KafkaKind.EXTERNAL:
        yield os.environ["KAFKA_BOOTSTRAP"]
        return
    with _home(directory / "kafka") as home:
        port, controller = free_ports(2)
        bootstrap = f"{LOOPBACK}:{port}"
        kafka_broker.finish(home, bootstrap, kafka_broker.start(home, chosen, port, controller))
        yield bootstrap


@contextmanager
def _home(directory: Path) -> Iterator[Home]:
    home = Home(directory)
    home.create()
    try:
        yield home
    finally:
        processes.stop(home)
        postgres_server.remove(home)
        shutil.rmtree(directory, ignore_errors=True)
