"""The servers of a run: PostgreSQL, Redis and Kafka, which can be killed and started again, and the stub provider."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import redis

from faults import provider
from faults.spec import Addresses, forkserver
from local import kafka_broker, processes, redis_server, servers
from local import postgres as postgres_server
from local.choices import KafkaKind, chosen_kafka
from local.environment import clean_environment
from local.ports import free_ports
from local.processes import Home
from local.topics import local_topics
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from nofy.adapters.postgres.database import Database as Truth

PASSWORD = "faults"  # noqa: S105  # of servers that live for minutes, on the loopback address
START_SECONDS = 60.0

# Every change of a delivery, as PostgreSQL saw it: what went backwards is found here, whoever did it.
HISTORY = """
CREATE TABLE faults_changes (
    number bigserial, delivery_id uuid, old_status text, status text, old_attempt_no integer, attempt_no integer,
    at timestamptz DEFAULT clock_timestamp()
);
CREATE FUNCTION faults_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO faults_changes (delivery_id, old_status, status, old_attempt_no, attempt_no)
    VALUES (NEW.id, OLD.status, NEW.status, OLD.attempt_no, NEW.attempt_no);
    RETURN NULL;
END
$$;
CREATE TRIGGER faults_note AFTER UPDATE ON deliveries FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.attempt_no IS DISTINCT FROM NEW.attempt_no)
    EXECUTE FUNCTION faults_note();
"""


@dataclass
class Server:
    """A server's process, which can be killed and started again with the command it was started with."""

    name: str
    home: Home
    ready: Callable[[], bool]

    def kill(self) -> None:
        """With everything it started: PostgreSQL's children would hold its memory and refuse the next start."""
        self._command = self._process().cmdline()
        record = self._record()
        os.killpg(record.pid, signal.SIGQUIT if self.name == "postgres" else signal.SIGKILL)
        deadline = time.monotonic() + START_SECONDS
        while record.process() is not None and time.monotonic() < deadline:
            time.sleep(0.02)

    def start(self) -> None:
        account = postgres_server.unprivileged_account() if self.name == "postgres" else None
        record = processes.start(
            self.home,
            self.name,
            self._command,
            clean_environment(),
            stop_signal=signal.SIGQUIT if self.name == "postgres" else signal.SIGKILL,
            account=account,
        )
        processes.wait_until(self.ready, self.home, record, START_SECONDS)

    def _record(self) -> processes.Record:
        return next(each for each in processes.records(self.home) if each.name == self.name)

    def _process(self) -> Any:
        process = self._record().process()
        assert process is not None, f"{self.name} does not run"
        return process


@dataclass
class Machine:
    """Everything a run needs but its workers."""

    folder: Path
    addresses: Addresses
    truth: Truth  # PostgreSQL as its superuser sees it
    servers: dict[str, Server]
    ledger: Path
    kafka_kind: KafkaKind

    def redis(self) -> redis.Redis:
        """For the length of a ``with`` block, which closes it."""
        return redis.Redis.from_url(self.addresses.redis)

    def query(self, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Asked again while PostgreSQL is starting."""
        from nofy.domain.errors import StoreUnavailableError

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.truth.run(text, parameters or None)
            except StoreUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def calls(self) -> list[provider.Call]:
        return provider.read_ledger(self.ledger)

    def clean(self) -> None:
        """As after the bring-up. Records left in Kafka are about rows that are gone, and end as dead letters."""
        tables = "attempts deliveries notifications idempotency_keys dead_letters accepted_per_hour index_progress"
        for each in f"{tables} integrations api_keys projects faults_changes".split():
            self.query(f"DELETE FROM {each}")  # noqa: S608  # (names from the line above)
        with self.redis() as redis:
            redis.flushall()


@contextmanager
def machine() -> Iterator[Machine]:
    """Brought up in a folder of its own below the system's temporary one, and gone when the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nofy-faults-")))
        folder.chmod(0o755)  # nobody, as whom PostgreSQL runs where we are root, must be able to pass
        owner = stack.enter_context(servers.postgres(folder))
        redis_url = stack.enter_context(servers.redis(folder))
        kind = chosen_kafka(os.environ)
        bootstrap = stack.enter_context(servers.kafka(folder, kind))
        kafka_broker.create_topics(bootstrap, local_topics())
        truth = migrated(owner)
        stack.callback(truth.close)
        truth.run(HISTORY)
        ledger = folder / "ledger.jsonl"
        addresses = Addresses(
            as_role(owner, "nofy_api"),
            as_role(owner, "nofy_pipeline"),
            redis_url,
            bootstrap,
            stack.enter_context(_provider(ledger)),
            kafka_reports_lag=kind is not KafkaKind.TANSU,
        )
        yield Machine(folder, addresses, truth, _servers(folder, owner, redis_url, bootstrap), ledger, kind)


def migrated(owner: str) -> Database:
    """The schema, and roles that can sign in; PostgreSQL as its superuser sees it."""
    migrating = Database(owner, application="faults-migrate")
    migrate(migrating)
    migrating.close()
    truth = Database(servers.superuser_dsn(owner), application="faults")
    # Functions sign in to RDS by tokens, which nobody hashes four thousand times over as PostgreSQL does passwords: it
    # would be most of what a connection costs here. (The setting is there from PostgreSQL 16 on.)
    truth.run("SELECT set_config(name, '1', false) FROM pg_settings WHERE name = 'scram_iterations'")
    for role in ("nofy_api", "nofy_pipeline", "nofy_operator"):
        truth.run(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    return truth


def lift_limits(truth: Database, project_id: UUID) -> None:
    """What a project may ask for is not what is tried here: a thousand races at once would meet it."""
    unbounded = "UPDATE projects SET requests_per_second = 100000, burst = 100000 WHERE id = %(project)s"
    truth.run(unbounded, {"project": project_id})


def as_role(dsn: str, role: str) -> str:
    """The address for another role, which :func:`migrated` gave its password."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{parts.hostname}:{parts.port}"))


def _servers(folder: Path, owner: str, redis_url: str, bootstrap: str) -> dict[str, Server]:
    parts = urlsplit(owner)
    assert parts.port
    assert parts.password
    described = postgres_server.Postgres(parts.port, parts.password)
    redis_port = urlsplit(redis_url).port
    assert redis_port
    made = [
        Server("postgres", Home(folder / "postgres"), lambda: postgres_server.answers(described)),
        Server("redis", Home(folder / "redis"), lambda: redis_server.answers(redis_port)),
        Server("kafka", Home(folder / "kafka"), lambda: kafka_broker.speaks(bootstrap)),
    ]
    return {each.name: each for each in made}


@contextmanager
def _provider(ledger: Path) -> Iterator[str]:
    ledger.touch()
    (port,) = free_ports(1)
    context = forkserver()
    process = context.Process(target=provider.serve, args=(port, str(ledger)), daemon=True)
    process.start()
    deadline = time.monotonic() + START_SECONDS
    while not _listens(port):
        if time.monotonic() > deadline:
            raise TimeoutError("the stub provider did not start")
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.join()
        process.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def dump(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
