"""The whole pipeline over the fakes: every verb as its function would run it, one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nofy.domain.lifecycle import Status
from nofy.domain.notification import PlannedNotification
from nofy.domain.records import InboundRecord
from nofy.domain.routing import ACKS_GROUP, ACKS_TOPIC, DLQ_GROUP, DLQ_TOPIC, LANES, Channel, Lane
from nofy.domain.timing import CONSUMER_TIMEOUT
from nofy.pipeline.accept import accept
from nofy.pipeline.acknowledge import Acknowledged, Acknowledger
from nofy.pipeline.amend import Amender
from nofy.pipeline.bury import bury
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.deliver import Consumer, Delivered
from nofy.pipeline.dispatch import Dispatched, Dispatcher
from nofy.pipeline.reconcile import Reconciled, Reconciler
from nofy.ports.clock import Random
from nofy.ports.store import IdempotencyClaim
from tests.fakes.bus import MemoryBus, MemoryOffsets
from tests.fakes.clock import CountingIds, ManualClock, Scripted
from tests.fakes.faults import Faults, Faulty
from tests.fakes.limiter import MemoryLimiter
from tests.fakes.projects import Project, new_project
from tests.fakes.schedule import MemorySchedule
from tests.fakes.sender import FakeSender
from tests.fakes.store import MemoryStore
from tests.fakes.tables import DeliveryRow

Rate = dict[str, float] | None


class HedgedCredit(LaneCredit):
    """A credit by which every record goes to two consumers."""

    def partitions(self, lane: Lane, projects: Sequence[UUID]) -> Sequence[tuple[int | None, ...]]:
        return [(0, 1)] * len(projects)


class World:
    """One project's deliveries, the clock, every port, and ``faults`` that may strike at any of their methods."""

    def __init__(self, *, random: Random | None = None, partitions: int = 1) -> None:
        self.clock = ManualClock()
        self.faults = Faults()
        self.store = MemoryStore(self.clock)
        self.schedule = MemorySchedule(self.clock)
        self.limiter = MemoryLimiter()
        self.bus = MemoryBus(self.clock, partitions=partitions)
        self.offsets = MemoryOffsets(self.bus)
        self.sender = FakeSender()
        self.random = random or Scripted(0.5)
        self.project: Project = new_project(self.clock, CountingIds(self.clock))
        self.store.add_key(self.project.token_hash, self.project.principal)
        self.limit()
        self.credit: type[LaneCredit] = LaneCredit
        self._runs = 0

    def _faulty(self, port: object) -> Any:
        """The port as the pipeline sees it."""
        return Faulty(port, self.faults)

    # The verbs

    def accept(
        self, *channels: Channel, claim: IdempotencyClaim | None = None, **plan: Any
    ) -> tuple[PlannedNotification, dict[str, Any] | None]:
        planned = self.project.plan(*channels, **plan)
        return planned, self.submit(planned, claim)

    def submit(self, planned: PlannedNotification, claim: IdempotencyClaim | None = None) -> dict[str, Any] | None:
        ports = {"store": self._faulty(self.store), "schedule": self._faulty(self.schedule), "clock": self.clock}
        return accept(self.project.principal, [planned], claim, **ports)

    def accepted(self, **plan: Any) -> UUID:
        """One delivery on Slack, and its id."""
        planned, _ = self.accept(Channel.SLACK, **plan)
        return planned.deliveries[0].delivery_id

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            store=self._faulty(self.store),
            schedule=self._faulty(self.schedule),
            bus=self._faulty(self.bus),
            credit=self.credit(self.offsets, self.clock),
            clock=self.clock,
            pause=self.clock.advance,
        )

    def dispatch(self, seconds: float = 0.5) -> Dispatched:
        """A run of this many seconds; the clock stands at its end afterwards, or where the run stopped."""
        self._runs += 1
        return self.dispatcher().run(f"run-{self._runs}", self.clock() + timedelta(seconds=seconds))

    def consumer(self) -> Consumer:
        return Consumer(
            store=self._faulty(self.store),
            limiter=self._faulty(self.limiter),
            sender=self._faulty(self.sender),
            bus=self._faulty(self.bus),
            clock=self.clock,
            random=self.random,
        )

    def deliver(self, records: list[InboundRecord], seconds: float = CONSUMER_TIMEOUT) -> Delivered:
        return self.consumer().deliver(records, self.clock() + timedelta(seconds=seconds))

    def queued(self) -> list[InboundRecord]:
        """What the consumers of all lanes have not read yet."""
        return [record for lane in LANES for record in self.bus.poll(lane.group, lane.topic)]

    def consume(self) -> list[Delivered]:
        """Each lane's unread records as one batch, committed when it was delivered."""
        return [self.consume_lane(lane.group, lane.topic) for lane in LANES if self.bus.poll(lane.group, lane.topic)]

    def consume_lane(self, group: str, topic: str) -> Delivered:
        records = self.bus.poll(group, topic)
        delivered = self.deliver(records)
        self.bus.commit(group, topic, records)
        return delivered

    def acks(self) -> list[InboundRecord]:
        return self.bus.poll(ACKS_GROUP, ACKS_TOPIC)

    def acknowledge(self, records: list[InboundRecord] | None = None) -> Acknowledged:
        batch = self.acks() if records is None else records
        store = self._faulty(self.store)
        done = Acknowledger(store, store, self._faulty(self.schedule), self.clock).acknowledge(batch)
        self.bus.commit(ACKS_GROUP, ACKS_TOPIC, batch)
        return done

    def bury(self) -> None:
        records = self.bus.poll(DLQ_GROUP, DLQ_TOPIC)
        bury(records, self._faulty(self.store))
        self.bus.commit(DLQ_GROUP, DLQ_TOPIC, records)

    def sweep(self) -> Reconciled:
        store, schedule, bus = (self._faulty(each) for each in (self.store, self.schedule, self.bus))
        return Reconciler(store, store, schedule, bus, self._faulty(self.offsets), self.clock, self.random).sweep()

    def amender(self) -> Amender:
        store = self._faulty(self.store)
        return Amender(store, store, self._faulty(self.schedule), self.clock)

    def cancel(self, delivery_id: UUID) -> bool:
        row = self.row(delivery_id)
        return bool(self.store.cancel(self.project.principal, row.notification.notification_id))

    def move(self, delivery_id: UUID, send_at: datetime) -> bool:
        row = self.row(delivery_id)
        moved = self.store.move(self.project.principal, row.notification.notification_id, send_at, row.expires_at)
        return bool(moved)

    def settle(self, minutes: int = 10) -> None:
        """Everything runs, without faults, for this long."""
        for _ in range(minutes):
            self.sweep()
            for _ in range(6):
                self.dispatch(10)
                self.consume()
                self.acknowledge()
                self.bury()

    def limit(self, *, integration: Rate = None, destination: Rate = None) -> None:
        """What each integration bears from now on, in all and towards one destination."""
        limits = {"integration": integration, "destination": destination}
        for row in self.store.tables.integrations.values():
            row.integration = replace(row.integration, settings={**row.integration.settings, "limits": limits})

    # What came of it

    def row(self, delivery_id: UUID) -> DeliveryRow:
        return self.store.tables.deliveries[delivery_id]

    def status(self, delivery_id: UUID) -> Status:
        return self.row(delivery_id).status

    def calls(self, delivery_id: UUID) -> list[int]:
        """The attempts for which the provider was called, in order."""
        return [fence.attempt_no for fence in self.sender.calls() if fence.delivery_id == delivery_id]

    def dead_letters(self) -> list[str]:
        return [row.letter.reason for row in self.store.tables.dead_letters]
