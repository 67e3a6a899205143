"""The servers of a measurement: real PostgreSQL (fsync on), Redis and Kafka on this machine, and the stub provider."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import redis

from bench import stub
from faults.machine import as_role, lift_limits, migrated
from faults.spec import Addresses
from local import kafka_broker, servers
from local.choices import KafkaKind, chosen_kafka
from local.topics import local_topics
from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.domain import tokens
from nofy.domain.routing import LANES, PROVIDER_OF, Channel
from nofy.domain.tokens import Mode
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from nofy.adapters.postgres.database import Database

# Of every lane and of the acks: on two cores more would only take turns.
PARTITIONS = 2
# No limit is measured here but those of the machine.
SETTINGS: dict[str, Any] = {
    "sender": {"email": "no-reply@example.com", "name": "Bench"},
    "phone_number_id": "1",
    "limits": {"integration": None, "destination": None},
}


@dataclass(frozen=True)
class Project:
    """A project that may send on every channel."""

    project_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


@dataclass(frozen=True)
class Machine:
    """Everything but the workers."""

    folder: Path
    owner: str  # the DSN of who owns the database
    addresses: Addresses
    truth: Database  # PostgreSQL as its superuser sees it
    stub: stub.Stub
    kafka_kind: KafkaKind

    def redis(self) -> redis.Redis:
        """For the length of a ``with`` block, which closes it."""
        return redis.Redis.from_url(self.addresses.redis)

    def query(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self.truth.run(text, parameters or None)

    def count(self, status: str) -> int:
        return int(self.query("SELECT count(*) FROM deliveries WHERE status = %(status)s", status=status)[0][0])

    def clean(self) -> None:
        """No rows, an empty Redis, a stub that knows nothing. What lies in Kafka speaks of rows that are gone."""
        self.query("TRUNCATE deliveries, attempts, notifications, delivery_counts, accepted_per_hour, dead_letters")
        self.query("TRUNCATE index_progress, counting_progress, idempotency_keys")
        with self.redis() as client:
            client.flushall(asynchronous=True)  # ten million ids take Redis longer than a client waits
        self.stub.reset()

    def settle(self) -> None:
        """What a case wrote is on disk, and its tables are known to the planner, before the next one begins."""
        self.query("CHECKPOINT")
        self.query("ANALYZE")

    def project(self, name: str = "Bench") -> Project:
        administration = PostgresAdministration(self.truth)
        project = Project(clock.new_id(), tokens.generate(Mode.LIVE, secrets.choice))
        administration.create_project(project.project_id, name)
        administration.create_key(clock.new_id(), project.project_id, Mode.LIVE, tokens.digest(project.token), "nofy_…")
        for each in Channel:
            administration.set_integration(
                clock.new_id(), project.project_id, each, PROVIDER_OF[each], SETTINGS, b"bench-credential"
            )
        lift_limits(self.truth, project.project_id)
        return project


@contextmanager
def machine() -> Iterator[Machine]:
    """Brought up in a folder of its own below the system's temporary one, and gone when the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nofy-bench-")))
        folder.chmod(0o755)  # nobody, as whom PostgreSQL runs where we are root, must be able to pass
        owner = stack.enter_context(servers.postgres(folder))
        redis_url = stack.enter_context(servers.redis(folder))
        kind = chosen_kafka(os.environ)
        bootstrap = stack.enter_context(servers.kafka(folder, kind))
        _topics(bootstrap)
        truth = migrated(owner)
        stack.callback(truth.close)
        provider = stack.enter_context(stub.running())
        addresses = Addresses(
            as_role(owner, "nofy_api"),
            as_role(owner, "nofy_pipeline"),
            redis_url,
            bootstrap,
            provider.url,
            kafka_reports_lag=kind is not KafkaKind.TANSU,
        )
        yield Machine(folder, owner, addresses, truth, provider, kind)


def _topics(bootstrap: str) -> None:
    spread = {each.topic for each in LANES} | {"nofy.acks.v1"}
    topics = local_topics()
    for each in topics:
        if each.name in spread:
            each.num_partitions = PARTITIONS
    kafka_broker.create_topics(bootstrap, topics)
