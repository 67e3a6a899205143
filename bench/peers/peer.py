"""The same job in what others would use: ``with CELERY.running(addresses, folder) as run: run.throughput(2_000, 0)``.

What each does stands in :mod:`bench.peers.job`, how it is tuned in :mod:`bench.peers.settings` and in its own module.
Their code runs in an environment of its own, as processes; here they are started, given their orders and ended.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.peers import environment, settings, stores
from bench.peers.job import SCHEMA
from bench.peers.plan import pause, scheduled
from bench.peers.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_SECONDS = 0.05
# The slowest of them does five times as many a second on two busy cores.
SLOWEST_RATE = 20.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class PeerAddresses:
    """Of the servers that a peer shares with nobody while it runs. ``postgres``: the DSN of who owns the database."""

    postgres: str
    redis: str
    provider: str


@dataclass(frozen=True)
class Run:
    """A peer whose workers wait for work."""

    processes: Processes
    rows: Any  # a cursor in its schema

    def throughput(self, count: int, first: int) -> float:
        """Seconds from the first request to the moment when PostgreSQL has all of them as sent."""
        self.rows.execute("TRUNCATE notifications, attempts")
        self.processes.order({"count": count, "first": first})
        self._await_sent(count, PATIENCE_SECONDS + count / SLOWEST_RATE)
        ended = time.time()
        began: float = self.processes.answer()["began"]
        return ended - began

    def lateness(self, rate: float, seconds: float, ahead: float, first: int) -> dict[int, float]:
        """Number to due time, in seconds of the epoch; returns when all have been sent."""
        self.rows.execute("TRUNCATE notifications, attempts")
        self.processes.order({"rate": rate, "seconds": seconds, "ahead": ahead, "first": first})
        self._await_sent(scheduled(rate, seconds), PATIENCE_SECONDS + seconds + ahead)
        return {int(number): at for number, at in self.processes.answer()["due"].items()}

    def cpu_seconds(self) -> float:
        """Of its workers and its publisher, since they were started."""
        return self.processes.cpu_seconds()

    def _await_sent(self, count: int, patience: float) -> None:
        began = time.monotonic()
        while (done := self._recorded("sent")) < count:
            elapsed = time.monotonic() - began
            self.processes.alive()
            if elapsed > patience:
                failed = self._recorded("failed")
                raise self.processes.error(f"{done} of {count} were sent, {failed} failed, after {elapsed:.0f} s")
            time.sleep(pause(done, count, elapsed, POLL_SECONDS))

    def _recorded(self, status: str) -> int:
        self.rows.execute("SELECT count(*) FROM notifications WHERE status = %s", (status,))
        return int(self.rows.fetchone()[0])


@dataclass(frozen=True)
class Peer:
    """One of the three. ``workers``: the commands of its workers, which make ``processes`` processes in all."""

    name: str
    workers: tuple[tuple[str, ...], ...]
    processes: int
    redis_database: int | None = None
    tables: tuple[str, ...] = ()  # the command that makes its own ones

    @contextmanager
    def running(
        self, addresses: PeerAddresses, folder: Path, *, wake_up: float | None = settings.WAKE_UP_SECONDS
    ) -> Iterator[Run]:
        """Its workers ready, in a folder of its own below ``folder``, where the logs stay; nothing of it runs after.

        ``wake_up``: how soon an idle worker looks for due work, in seconds; None: as the library comes.
        """
        environment.prepare()
        name = f"peer_{self.name}"
        with ExitStack() as stack:
            rows = stack.enter_context(stores.schema(addresses.postgres, name, SCHEMA))
            where = self._where(addresses, _fresh(folder / name), wake_up)
            if self.redis_database is not None:
                stack.enter_context(stores.redis_database(where["PEER_REDIS"]))
            processes = Processes(folder / name, where)
            stack.callback(processes.close)
            self._start(processes)
            yield Run(processes, rows)

    def _start(self, processes: Processes) -> None:
        if self.tables:
            processes.run("tables", [environment.PYTHON, *self.tables])
        for number, command in enumerate(self.workers):
            processes.start(f"worker-{number}", [environment.PYTHON, *command])
        processes.start("publisher", [environment.PYTHON, "-m", "bench.peers.publisher", self.name])
        processes.await_ready(self.processes)

    def _where(self, addresses: PeerAddresses, folder: Path, wake_up: float | None) -> dict[str, str]:
        where = {
            "PEER_POSTGRES": stores.in_schema(addresses.postgres, folder.name),
            "PEER_PROVIDER": addresses.provider,
            "PEER_READY": str(folder / "ready"),
        }
        if self.redis_database is not None:
            where["PEER_REDIS"] = stores.numbered(addresses.redis, self.redis_database)
        if wake_up is not None:
            where |= {"PEER_WAKE_UP": str(wake_up), "dramatiq_worker_timeout": str(round(wake_up * 1_000))}
        return environment.environment(**where)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ready").mkdir(parents=True)
    return folder


def _celery(number: int) -> tuple[str, ...]:
    command = ("-m", "celery", "-A", "bench.peers.celery_app", "worker", "-n", f"worker-{number}@bench")
    return (*command, *settings.CELERY_WORKER)


CELERY = Peer(
    "celery", tuple(_celery(each) for each in range(settings.PROCESSES)), settings.PROCESSES, redis_database=11
)
DRAMATIQ = Peer(
    "dramatiq",
    (("-m", "dramatiq", "bench.peers.dramatiq_app", *settings.DRAMATIQ_WORKER),),
    settings.PROCESSES,
    redis_database=12,
)
PROCRASTINATE = Peer(
    "procrastinate",
    (("-m", "bench.peers.procrastinate_worker"),) * settings.PROCESSES,
    settings.PROCESSES,
    tables=("-m", "procrastinate", "--app", "bench.peers.procrastinate_app.app", "schema", "--apply"),
)
PEERS = (CELERY, DRAMATIQ, PROCRASTINATE)
