"""What each part of the pipeline takes, alone: the service times that ``bench.simulation`` reads.

Each part is run on batches of one and on full ones, with everything beside it left out (a bus that takes all, a limiter
that lets all go), so that a line through the two says what a batch costs and what an item adds. Python's seconds are
CPU of this process, PostgreSQL's are CPU of its backends, Redis' are by its own account. What one machine cannot show
(zones, standbys, Lambda's own event sources) stays as ``service_times.json`` has it.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.client import REQUEST, Client, notification
from bench.finding import Finding
from bench.simulation.rows import cpu
from bench.simulation.service_times import FILE
from bench.workers import BATCH, EMAIL, InvokedSender
from nofy.adapters.kafka.offsets import UnreportedOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.redis.limiter import RedisLimiter
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.limits import Go, Verdict
from nofy.domain.outcomes import Accepted, Exchange
from nofy.domain.records import InboundRecord, OutboundRecord
from nofy.pipeline.acknowledge import Acknowledger
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.deliver import Consumer
from nofy.pipeline.dispatch import Dispatched, Dispatcher
from nofy.ports.bus import Placement
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from bench.course import Course
    from bench.machine import Machine
    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.routing import Provider

# How often each size is taken; more of the small ones, whose share of PostgreSQL's clock (10 ms) is small.
ONES, FULL = 60, 8


class TakingBus:
    """Takes everything and keeps it for the next part."""

    def __init__(self) -> None:
        self.taken: list[OutboundRecord] = []

    def publish(self, records: Sequence[OutboundRecord]) -> list[Placement | None]:
        self.taken += records
        return [Placement(0, 0)] * len(records)


class LettingLimiter:
    def reserve(self, deliveries: Sequence[Leased], now: datetime) -> list[Verdict]:  # noqa: ARG002
        return [Go()] * len(deliveries)

    def learn(self, answers: object, now: datetime) -> None:
        pass


class AcceptingSender:
    def weigh(self, delivery: Leased) -> int:  # noqa: ARG002
        return 1_000

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:  # noqa: ARG002
        return [Accepted("<bench@brevo>", exchange=Exchange("POST", "/smtp/email", 12, 201)) for _ in batch]


@dataclass
class Taken:
    """Seconds of each batch of one and of each full one, by what was measured; PostgreSQL's as a mean."""

    of: dict[str, dict[int, list[float]]] = field(default_factory=dict)

    def add(self, name: str, size: int, seconds: float) -> None:
        self.of.setdefault(name, {}).setdefault(size, []).append(seconds)

    def line(self, name: str, *, of: Callable[[list[float]], float] = median) -> tuple[float, float]:
        """What a batch costs, and what an item adds."""
        (one, small), *_, (many, large) = sorted((size, of(each)) for size, each in self.of[name].items())
        per_item = max(0.0, (large - small) / (many - one))
        return max(0.0, small - per_item * one), per_item


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    taken = Taken()
    with ExitStack() as stack:
        parts = Parts(machine, taken, stack)
        for size, times in ((1, ONES), (REQUEST, 2 * FULL), (BATCH, FULL)):
            for _ in range(times):
                parts.through(size)
        parts.calls()
    machine.clean()
    lines = {name: taken.line(name, of=_mean if name.startswith("postgres_") else median) for name in taken.of}
    _write(lines)
    course.tell(f"  written: {FILE.name}")
    return [
        Finding.told("times", f"{name}, for each item", [per_item * 1e6], "µs", note=f"{fixed * 1e3:.2f} ms a batch")
        for name, (fixed, per_item) in lines.items()
    ]


class Parts:
    """The functions' parts, each with nothing real beside it but what it is measured with."""

    def __init__(self, machine: Machine, taken: Taken, stack: ExitStack) -> None:
        at = machine.addresses
        self._machine, self._taken = machine, taken
        self._client = Client(at, machine.project())
        self._database = Database(at.postgres_pipeline, application="bench-times")
        self._schedule = RedisSchedule(at.redis, timeout=5)
        self._bus, self._acks = TakingBus(), TakingBus()
        self._real_bus, self._limiter = KafkaBus(at.kafka), RedisLimiter(at.redis, timeout=5)
        self._sender = InvokedSender(at.provider)
        for each in (self._database, self._schedule, self._real_bus, self._limiter):
            stack.callback(each.close)
        self._dispatcher = Dispatcher(
            PostgresDispatches(self._database),
            self._schedule,
            self._bus,
            LaneCredit(UnreportedOffsets(), clock.now),  # a whole one
            clock.now,
            lambda _: None,
        )
        self._leases = KeptLeases(self._database)
        self._consumer = Consumer(
            self._leases,
            LettingLimiter(),
            AcceptingSender(),
            self._acks,
            clock.now,
            clock.uniform,
        )
        self._acknowledger = Acknowledger(
            PostgresOutcomes(self._database), PostgresBurials(self._database, clock.new_id), self._schedule, clock.now
        )

    def through(self, size: int) -> None:
        """So many notifications through the pipeline, part by part."""
        items = [notification(each) for each in range(size)]
        if size <= REQUEST:
            self._timed("accept", size, lambda: self._client.accept(items))
            # (its client's own connection: the producer keeps one)
        else:
            self._client.accept(items)
        self._claimed(size)
        if size == REQUEST:
            self._emptied()
            return
        self._timed("dispatch", size, self._turn)
        queued = self._records(self._bus)
        self._timed("lease", size, lambda: self._consumer.deliver(queued, clock.now() + timedelta(minutes=3)))
        answered = self._records(self._acks)
        self._timed("ack", size, lambda: self._acknowledger.acknowledge(answered))

    def calls(self) -> None:
        """What is called beside the database: Kafka, the limits, and the provider."""
        leased = self._leases.last
        for size, times in ((1, ONES), (BATCH, FULL)):
            records = [OutboundRecord("nofy.dlq.v1", b"times", b"{}" * 100)] * size
            for _ in range(times):
                self._cpu("kafka", size, partial(self._real_bus.publish, records))
                self._served("redis", size, partial(self._limiter.reserve, leased[:size], clock.now()))
        until = clock.now() + timedelta(minutes=3)
        for size, times in ((1, ONES), (128, FULL)):
            for _ in range(times):
                self._cpu("send", size, partial(self._sender.send, leased[0].provider, leased[:size], until))

    def _turn(self) -> None:
        self._dispatcher._turn("times", Dispatched())  # noqa: SLF001  # (a run would go on, and sleep)

    def _claimed(self, size: int) -> None:
        """A claim of its own for the clock, and the ids back where they were."""

        def claim() -> None:
            turn = self._schedule.claim({EMAIL: size}, clock.now(), "times")
            self._schedule.release(turn.claims)
            claims.extend(turn.claims)

        claims: list[Any] = []
        self._served("claim", size, claim)
        entries = self._machine.query("SELECT project_id, id, due_at FROM deliveries WHERE status = 'scheduled'")
        self._schedule.add(_entries(entries), clock.now())

    def _emptied(self) -> None:
        self._turn()
        self._bus.taken.clear()
        self._machine.query("UPDATE deliveries SET status = 'sent' WHERE status <> 'sent'")

    def _records(self, bus: TakingBus) -> list[InboundRecord]:
        found = [InboundRecord(each.topic, 0, at, each.key, each.value, 0) for at, each in enumerate(bus.taken)]
        bus.taken.clear()
        return found

    def _timed(self, name: str, size: int, work: Callable[[], object]) -> None:
        """CPU of this process, and of the backends that worked for it."""
        backends = [row[0] for row in self._machine.query("SELECT pid FROM pg_stat_activity WHERE usename ~ '^nofy_'")]
        before = sum(map(_backend, backends))
        self._cpu(name, size, work)
        self._taken.add(f"postgres_{name}", size, sum(map(_backend, backends)) - before)

    def _cpu(self, name: str, size: int, work: Callable[[], object]) -> None:
        before = time.process_time()
        work()
        self._taken.add(name, size, time.process_time() - before)

    def _served(self, name: str, size: int, work: Callable[[], object]) -> None:
        """By Redis' own account of what its commands took."""
        before = self._commands()
        work()
        self._taken.add(name, size, self._commands() - before)

    def _commands(self) -> float:
        with self._machine.redis() as client:
            found = client.info("commandstats").items()
        return float(sum(each["usec"] for name, each in found if name != "cmdstat_info")) / 1e6


class KeptLeases(PostgresLeases):
    """Remembers the last batch, and keeps its connection: what connecting again costs is another backend's CPU."""

    last: list[Leased]

    def lease(self, records: Sequence[Any], seconds: int) -> list[Leased]:
        self.last = super().lease(records, seconds)
        return self.last

    def hang_up(self) -> None:
        pass

    def stand_by(self) -> None:
        pass


def _entries(rows: list[tuple[Any, ...]]) -> Iterator[Any]:
    from nofy.ports.schedule import Entry

    return (Entry(EMAIL, *row) for row in rows)


def _backend(pid: int) -> float:
    try:
        return cpu(pid)
    except FileNotFoundError:  # it has hung up
        return 0.0


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _write(lines: dict[str, tuple[float, float]]) -> None:
    document = json.loads(FILE.read_text())
    for name, (fixed, per_item) in lines.items():
        document[name] = {
            "fixed": round(fixed, 6),
            "per_item": round(per_item, 9),
            "source": "Measured: make bench CASE=times",
        }
    FILE.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
