"""The delivery protocol, driven at random: every verb, every fault, any order; then a drain, and nothing may be lost.

The real pipeline runs over the fakes. A seed is a history: a fault strikes before or after any call of any port (an
error, or the death of the caller), records and acks come twice and out of order, Redis is emptied, Kafka refuses
records and lets them arrive late, people cancel and move, credentials are refused and mended. What must hold is
counted from the provider's side. ``PROTOCOL_SEEDS=5000`` runs more of them; a failure names its seed.
"""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from nofy.domain import breaker
from nofy.domain.delivery import Leased
from nofy.domain.errors import (
    BusUnavailableError,
    InvokeRefusedError,
    InvokeUncertainError,
    NofyError,
    ScheduleUnavailableError,
    StoreUnavailableError,
)
from nofy.domain.lifecycle import ENDED, TRANSITIONS, Status
from nofy.domain.outcomes import (
    Accepted,
    NotTried,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    Transient,
    Unknown,
)
from nofy.domain.records import InboundRecord, read_ack, read_queue
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import ACKS_GROUP, ACKS_TOPIC, LANES, MessageClass
from nofy.pipeline import deliver
from tests.fakes.faults import Died, Fault
from tests.fakes.inline import Inline
from tests.fakes.tables import IntegrationRow
from tests.fakes.world import World

SEEDS = int(os.environ.get("PROTOCOL_SEEDS", "80"))
STEPS = 70
MOST_NESTED = 2

STORE = "accept waiting mark_queued hold expire lease keep_reports states apply bury".split()
STORE += "index_progress save_index_progress waiting_between accepted_since expired_leases stuck_queued".split()
STORE += "requeue release_held expire_held unburied".split()
SCHEDULE = "add register claim release sleep epoch reserve learn".split()
ERRORS: dict[str, type[Exception]] = {
    **dict.fromkeys(STORE, StoreUnavailableError),
    **dict.fromkeys(SCHEDULE, ScheduleUnavailableError),
    "publish": BusUnavailableError,
}


class History:
    """One random history, and what was learnt on the way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World(random=self.random.random, partitions=2)
        if self.random.random() < 0.5:
            rate = {"per_second": 0.2, "burst": 2}
            self.world.limit(integration=rate, destination=self.random.choice([None, rate]))
        self.world.faults.strike = self._strike
        self.world.sender.otherwise = self._answer
        self.world.sender.send = self._invoke(self.world.sender.send)  # type: ignore[method-assign]
        self.faulty = True
        self.trouble = self.random.choice([0.0, 0.01, 0.05])
        self.preemption = self.random.choice([0.0, 0.05, 0.2])
        self.depth = 0
        self.bad_credential = False
        self.refused_versions: set[int | None] = {None}
        self.deliveries: list[UUID] = []
        self.doubted: set[UUID] = set()  # nobody could say whether the provider was called
        self.accepted: Counter[UUID] = Counter()
        self.cancelled: set[UUID] = set()
        self.moved_to: dict[UUID, object] = {}
        self.unheard = False
        self.broken: list[str] = []

    # Faults

    def _strike(self, method: str) -> Fault | None:
        self._preempt()
        if not self.faulty or method == "send" or self.random.random() >= self.trouble:
            return None  # (the invoke has faults of its own, which note who may have been called)
        after = self.random.random() < 0.5
        self.unheard |= method == "keep_reports"
        if method in ERRORS and self.random.random() < 0.5:
            # An error after a read or a write means "applied, and nobody heard of it".
            return Fault(method, ERRORS[method]("struck"), after and method != "publish")
        return Fault(method, Died(), after)

    def _preempt(self) -> None:
        """Between any two calls of one process another others may run: here, each all at once."""
        if self.faulty and self.depth < MOST_NESTED and self.random.random() < self.preemption:
            self.depth += 1
            for _ in range(self.random.randrange(1, 6)):
                self.step()
            self.depth -= 1

    def _invoke(self, send: Callable[..., list[Outcome]]) -> Callable[..., list[Outcome]]:
        def invoke(provider: object, batch: list[Leased], deadline: object) -> list[Outcome]:
            dice = self.random.random() if self.faulty else 1.0
            ids = {each.fence.delivery_id for each in batch}
            if dice < self.trouble:
                raise InvokeRefusedError("throttled")
            if dice < 2 * self.trouble:
                self.doubted |= ids
                raise Died
            outcomes = send(provider, batch, deadline)
            if dice < 3 * self.trouble:
                self.doubted |= ids
                raise Died
            if dice < 4 * self.trouble:
                self.doubted |= ids
                raise InvokeUncertainError("read timed out")
            return outcomes

        return invoke

    def _answer(self, leased: Leased) -> Outcome:
        delivery = leased.fence.delivery_id
        self._look(leased)
        if self.bad_credential:
            self.refused_versions.add(leased.credential_version)
            return Rejected(RejectionKind.CONFIG, "revoked")
        if not self.faulty or self.random.random() < 0.6:
            self.accepted[delivery] += 1
            return Accepted(f"message-{leased.fence.attempt_no}")
        return self._trouble(delivery)

    def _trouble(self, delivery: UUID) -> Outcome:
        match self.random.randrange(6):
            case 0:
                return Throttled("429", self.random.choice([None, 2.0]))
            case 1:
                self.doubted.add(delivery)
                self.accepted[delivery] += self.random.random() < 0.5
                return Unknown("silence")
            case 2:
                return NotTried("no time")
            case 3:
                return Rejected(RejectionKind.RECIPIENT, "gone") if self.random.random() < 0.3 else Transient("503")
            case _:
                return Transient("503")

    def _look(self, leased: Leased) -> None:
        """What must hold at the moment of a call."""
        delivery, now = leased.fence.delivery_id, self.world.clock()
        if delivery in self.cancelled:
            self.broken.append("called after its cancellation was confirmed")
        if now < leased.fence.due_at or now < self.moved_to.get(delivery, now):  # type: ignore[operator]
            self.broken.append("called before its time")

    # Steps

    def step(self) -> None:
        steps: list[tuple[int, Callable[[], object]]] = [
            (4, self.accept),
            (8, lambda: self.world.dispatch(self.random.choice([0.5, 2, 35] if self.depth == 0 else [0.5, 3]))),
            (8, self.consume),
            (8, self.acknowledge),
            (3, self.world.bury),
            (4, self.world.sweep),
            # Not in the midst of another step: a lease outlives whoever holds it.
            (5 * (self.depth == 0), lambda: self.world.clock.advance(self.random.choice([1, 5, 30, 130, 310]))),
            (2, self.cancel),
            (2, self.move),
            (2, self.rewind),
            (1, self.lose_batch),
            (1, self.world.schedule.wipe),
            (1, self.world.limiter.wipe),
            (1, self.lose_index),
            (1, self.refuse_some),
            (1, self.world.bus.arrive_late),
            (1, self.break_credential),
            (1, self.mend),
            (1, self.redrive),
        ]
        weights = [weight for weight, _ in steps]
        ((_, chosen),) = self.random.choices(steps, weights)
        with suppress(Died, NofyError):
            chosen()
        if any(each.held_version not in self.refused_versions for each in self._integrations()):
            self.broken.append("an integration is held for a credential that nobody refused")

    def _integrations(self) -> Iterable[IntegrationRow]:
        return self.world.store.tables.integrations.values()

    def accept(self) -> None:
        modes = [DeliveryMode.AT_LEAST_ONCE, DeliveryMode.AT_LEAST_ONCE, DeliveryMode.AT_MOST_ONCE]
        try:
            self.world.accept(
                due_in=self.random.choice([0, 0, 0, 3, 200, 1_100]),
                expires_in=self.random.choice([None, None, 2_000]),
                mode=self.random.choice(modes),
                message_class=self.random.choice(list(MessageClass)),
            )
        finally:
            self.deliveries = list(self.world.store.tables.deliveries)

    def consume(self) -> None:
        lane = self.random.choice(LANES)
        unread = [each for each in LANES if self.world.bus.poll(each.group, each.topic)]
        lane = self.random.choice(unread) if unread else lane
        records = self.world.bus.poll(lane.group, lane.topic)
        unheard, self.unheard = self.unheard, False
        try:
            self.world.deliver(self._mangled(records))
        except Died:
            self.unheard = True
            raise
        finally:
            if self.unheard:  # it died, or could tell neither Kafka nor PostgreSQL: it may have called the provider
                self.doubted |= {read_queue(each.value).fence.delivery_id for each in records}
            self.unheard = unheard
        self.world.bus.commit(lane.group, lane.topic, records)

    def acknowledge(self) -> None:
        records = self.world.acks()
        self.world.acknowledge(self._mangled(records))
        self.world.bus.commit(ACKS_GROUP, ACKS_TOPIC, records)

    def _mangled(self, records: list[InboundRecord]) -> list[InboundRecord]:
        """Duplicated, and in another order."""
        again = [each for each in records if self.random.random() < 0.1]
        mixed = [*records, *again]
        self.random.shuffle(mixed)
        return mixed

    def rewind(self) -> None:
        """A group lost its last commit: it is handed the same records again."""
        group, topic = self.random.choice([(ACKS_GROUP, ACKS_TOPIC), *((each.group, each.topic) for each in LANES)])
        for partition, offset in list(self.world.bus.commits[group, topic].items()):
            self.world.bus.rewind(group, topic, partition, max(0, offset - self.random.randrange(4)))

    def lose_batch(self) -> None:
        """An event source gave up on a batch: its records are passed over."""
        lane = self.random.choice(LANES)
        self.world.bus.commit(lane.group, lane.topic, self.world.bus.poll(lane.group, lane.topic))

    def lose_index(self) -> None:
        """A failover that lost the last writes and kept the epoch."""
        for scores in self.world.schedule.due.values():
            for each in [key for key in scores if self.random.random() < 0.5]:
                del scores[each]

    def refuse_some(self) -> None:
        self.world.bus.late_arrivals = self.random.random() < 0.5
        share = self.random.choice([0.0, 0.0, 0.2, 1.0])
        self.world.bus.refuses = lambda _: self.faulty and self.random.random() < share

    def cancel(self) -> None:
        if self.deliveries:
            chosen = self.random.choice(self.deliveries)
            if self.world.cancel(chosen):
                self.cancelled.add(chosen)

    def move(self) -> None:
        if self.deliveries:
            chosen = self.random.choice(self.deliveries)
            to = self.world.clock() + timedelta(seconds=self.random.choice([1, 50, 1_000]))
            if to < self.world.row(chosen).expires_at and self.world.move(chosen, to):
                self.moved_to[chosen] = to

    def redrive(self) -> None:
        principal = self.world.project.principal
        for letter in self.world.store.dead_letters(principal, None, None, 1):
            redriven = self.world.store.redrive(principal, letter.dead_letter_id)
            self.world.schedule.add(redriven, self.world.clock())

    def break_credential(self) -> None:
        self.bad_credential = not self.bad_credential

    def mend(self) -> None:
        for row in self._integrations():
            row.credential_version += row.held

    # The end

    def drain(self) -> None:
        """No more faults: whatever was begun must end by itself."""
        self.faulty = False
        self.world.faults.strike = lambda _: None
        self.world.bus.refuses = lambda _: False
        self.world.bus.arrive_late()
        self.bad_credential = False
        for _ in range(60):
            if self.quiet():
                return
            self.mend()
            self.world.settle(1)

    def quiet(self) -> bool:
        ended = all(row.status in ENDED for row in self.world.store.tables.deliveries.values())
        return ended and not self.world.queued() and not self.world.acks()


NEXT: dict[Status, set[Status]] = {}
for (_before, _), _after in TRANSITIONS.items():
    NEXT.setdefault(_before, set()).add(_after)


def told(seed: int) -> History:
    history = History(seed)
    for _ in range(STEPS):
        history.step()
    history.drain()
    return history


@pytest.fixture(autouse=True)
def repeatable_and_quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(deliver, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(breaker, "FAILURES", 2)
    logging.disable()  # each fault is logged with its traceback, and pytest would keep them all
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("block", range(10))
def test_no_history_breaks_a_promise(block: int) -> None:
    for seed in range(block, SEEDS, 10):
        history = told(seed)
        assert not (broken := broken_promises(history)), f"seed {seed}: {broken}"


def broken_promises(history: History) -> list[str]:
    world = history.world
    broken = list(history.broken)
    calls = Counter((each.delivery_id, each.attempt_no) for each in world.sender.calls())
    broken += [f"two calls for one attempt {key}" for key, count in calls.items() if count > 1]
    for delivery, row in world.store.tables.deliveries.items():
        broken += [f"{delivery} {complaint}" for complaint in _complaints(history, delivery, row.statuses)]
    if lost := world.store.lost(300):
        broken.append(f"{lost} lost")
    return broken


def told_accepted(world: World) -> set[UUID]:
    reports = [read_ack(each.value) for each in world.bus.records(ACKS_TOPIC)]
    return {each.delivery_id for each in reports if isinstance(each.outcome, Accepted)}


def _complaints(history: History, delivery: UUID, statuses: list[Status]) -> list[str]:
    row = history.world.row(delivery)
    accepted, doubted = history.accepted[delivery], delivery in history.doubted
    at_most_once = row.notification.draft.delivery_mode is DeliveryMode.AT_MOST_ONCE
    found = []
    if row.status not in ENDED:
        found.append(f"never ends: {row.status}")
    # (what is unknown may have been accepted, and a person may send it again)
    if (accepted > 1 and not doubted) or (at_most_once and accepted > 1 + row.redrive_no):
        found.append(f"accepted {accepted} times (at most once: {at_most_once})")
    if row.status is Status.SENT and not accepted:
        found.append("is sent and nobody accepted it")
    if delivery in told_accepted(history.world) and row.status not in (Status.SENT, Status.CANCELLED):
        found.append(f"an ack says accepted and it is {row.status}")
    if accepted and not doubted and row.status is not Status.SENT:
        found.append(f"was accepted and is {row.status}")
    if delivery in history.cancelled and row.status is not Status.CANCELLED:
        found.append(f"was cancelled and is {row.status}")
    if row.status in (Status.FAILED, Status.UNKNOWN) and not any(
        letter.letter.delivery_id == delivery for letter in history.world.store.tables.dead_letters
    ):
        found.append(f"{row.status} without a dead letter")
    steps = [(one, two) for one, two in zip(statuses, statuses[1:], strict=False) if two not in NEXT.get(one, set())]
    # An ack may fold two steps into one: sending -> retrying -> sent.
    steps = [step for step in steps if step[1] is not Status.SENT]
    found += [f"went from {one} to {two}" for one, two in steps]
    return found
