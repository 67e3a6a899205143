"""Dispatch: from Redis to Kafka, each id once, or again under the same fence.

Runs overlap by design: EventBridge starts one every minute and a run goes on until it sees a newer one. What
keeps two of them apart are the leases of the claim; what makes a doubled record harmless is the fence it
carries. Reserved concurrency would be neither.

A turn takes some of every lane's due work at once, and puts it into Kafka by urgency: one SELECT for all, and a produce
and an UPDATE for each priority that has any. So the urgent are on their way before a large batch of the others is
written, and their consumer does not wait for the rows that the others' UPDATE holds. Who comes in the middle of a turn
waits for the next one: how long a turn may be is for the credit to say.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import groupby, islice
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError, ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.records import OutboundRecord, queue_value
from nofy.domain.timing import DISPATCHER_SLEEP, INDEX_WINDOW
from nofy.pipeline.credit import MEASURE_EVERY
from nofy.pipeline.lag import Lagging, Lags
from nofy.pipeline.weights import Weights
from nofy.ports.schedule import Entry
from nofy.ports.store import Queued

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.domain.delivery import Waiting
    from nofy.domain.routing import Lane
    from nofy.pipeline.credit import LaneCredit
    from nofy.ports.bus import Bus
    from nofy.ports.clock import Clock
    from nofy.ports.schedule import Schedule, Turn
    from nofy.ports.store import Dispatches

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Dispatched:
    """What a run did."""

    turns: int = 0
    queued: int = 0
    put_back: int = 0
    held: int = 0
    expired: int = 0
    forgotten: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Sorted:
    """A turn's deliveries by what is to be done with them."""

    due: list[Waiting] = field(default_factory=list)
    later: list[Waiting] = field(default_factory=list)
    held: list[Waiting] = field(default_factory=list)
    expired: list[Waiting] = field(default_factory=list)


def _to_nobody(_: Lagging) -> None:
    """Where lags are told if nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One run's ports; ``pause`` waits after a failure (seconds), ``tell`` hears of lags each minute and at the end."""

    store: Dispatches
    schedule: Schedule
    bus: Bus
    credit: LaneCredit
    clock: Clock
    pause: Callable[[float], None]
    tell: Callable[[Lagging], None] = _to_nobody
    weights: Weights = field(default_factory=Weights)
    lags: Lags = field(default_factory=Lags)

    def run(self, run_id: str, ends_at: datetime) -> Dispatched:
        """Turn after turn until a newer run has registered or ``ends_at`` has come."""
        done = Dispatched()
        registered = False
        self.credit.begin()
        while self.clock() < ends_at:
            try:
                if not registered:
                    self.schedule.register(run_id)
                    registered = True
                if not self._turn(run_id, done):
                    break
            except (ScheduleUnavailableError, StoreUnavailableError, BusUnavailableError):
                # What was claimed comes back when its lease is over; nothing is lost by waiting.
                done.failures += 1
                log.exception("turn failed")
                self.pause(DISPATCHER_SLEEP)
            if self.lags.ripe(self.clock()):
                self.tell(self.lags.take(self.clock()))
        self.tell(self.lags.take(self.clock()))
        return done

    def _turn(self, run_id: str, done: Dispatched) -> bool:
        """One look at every lane that may be given something; False when a newer run has taken over."""
        limits = self.credit.limits()
        turn = self.schedule.claim(limits, self.clock(), run_id, self.weights.known, self.credit.holders)
        done.turns += 1
        if turn.claims:
            self._move(turn, done)
        elif turn.newest_run:
            # Where credit is used up, consumers are looked at again as soon as they may be.
            patience = MEASURE_EVERY.total_seconds() if self.credit.holders else DISPATCHER_SLEEP
            self.schedule.sleep(min(patience, self._idle(turn)))
        return turn.newest_run

    def _idle(self, turn: Turn) -> float:
        if turn.next_due is None:
            return DISPATCHER_SLEEP
        return max(0.0, (turn.next_due - self.clock()).total_seconds())

    def _move(self, turn: Turn, done: Dispatched) -> None:
        ids = [each for claim in turn.claims for each in claim.ids]
        waiting = self._in_their_order(ids)
        now = self.clock()
        sorted_ = _sort(waiting, now)
        self.weights.learn(waiting)
        self.lags.note(sorted_.due, now)
        failed = self._produce(sorted_.due, now, done)
        self._end(sorted_, done)
        self._put_back([*sorted_.later, *failed], now)
        self.schedule.release(turn.claims)
        done.put_back += len(sorted_.later) + len(failed)
        done.forgotten += len(ids) - sum(map(len, (sorted_.due, sorted_.later, sorted_.held, sorted_.expired)))
        if failed:
            done.failures += 1
            self.pause(DISPATCHER_SLEEP)

    def _in_their_order(self, ids: list[UUID]) -> list[Waiting]:
        """PostgreSQL answers in an order of its own; the claim's is by lane, and in a lane whose turn it is."""
        place = {each: number for number, each in enumerate(ids)}
        return sorted(self.store.waiting(ids), key=lambda each: place[each.fence.delivery_id])

    def _produce(self, due: list[Waiting], now: datetime, done: Dispatched) -> list[Waiting]:
        """Each priority by itself, the urgent first; returns what Kafka did not take, which may still arrive there.

        After a refusal no other is tried: each may take Kafka's whole time-out, and three of them the claim's lease.
        """
        refused: list[Waiting] = []
        for _, same in groupby(due, key=lambda each: each.lane.priority):
            batch = list(same)
            refused += batch if refused else self._produce_at_once(batch, now, done)
        return refused

    def _produce_at_once(self, batch: list[Waiting], now: datetime, done: Dispatched) -> list[Waiting]:
        """Produce, and mark what Kafka took: where a delivery's first record lies that it took, if there are two."""
        records = self._records(batch, now)
        placements = iter(self.bus.publish([record for copies in records for record in copies]))
        taken = [
            (each, [at for at in islice(placements, len(copies)) if at])
            for each, copies in zip(batch, records, strict=True)
        ]
        placed = [(each, ats[0]) for each, ats in taken if ats]
        self.store.mark_queued([Queued(each.fence, at.partition, at.offset) for each, at in placed])
        self.credit.spend((each, at) for each, ats in taken for at in ats)
        done.queued += len(placed)
        refused = [each for each, ats in taken if not ats]
        self.credit.refuse({each.lane for each in refused})
        return refused

    def _records(self, batch: list[Waiting], now: datetime) -> list[list[OutboundRecord]]:
        """One for each delivery, or two of which whichever is read first counts (``pipeline/hedge.py``)."""
        projects: defaultdict[Lane, list[UUID]] = defaultdict(list)
        for each in batch:
            projects[each.lane].append(each.project_id)
        partitions = {lane: iter(self.credit.partitions(lane, of)) for lane, of in projects.items()}
        return [[_record(each, one, now) for one in next(partitions[each.lane])] for each in batch]

    def _end(self, sorted_: _Sorted, done: Dispatched) -> None:
        if sorted_.held:
            self.store.hold([each.fence for each in sorted_.held])
        if sorted_.expired:
            self.store.expire([each.fence for each in sorted_.expired])
        done.held += len(sorted_.held)
        done.expired += len(sorted_.expired)

    def _put_back(self, waiting: list[Waiting], now: datetime) -> None:
        """Into the lane again at their time; what is due beyond the window is the reconciler's to index."""
        horizon = now + timedelta(seconds=INDEX_WINDOW)
        entries = [
            Entry(each.lane, each.project_id, each.fence.delivery_id, each.fence.due_at)
            for each in waiting
            if each.fence.due_at <= horizon
        ]
        if entries:
            self.schedule.add(entries, now)


def _sort(waiting: list[Waiting], now: datetime) -> _Sorted:
    """Expired before held before due: what nobody wants any more is not worth holding."""
    sorted_ = _Sorted()
    for each in waiting:
        if each.fence.due_at > now:
            sorted_.later.append(each)
        elif each.expires_at <= now:
            sorted_.expired.append(each)
        elif each.integration_held:
            sorted_.held.append(each)
        else:
            sorted_.due.append(each)
    return sorted_


def _record(waiting: Waiting, partition: int | None, now: datetime) -> OutboundRecord:
    key = _key(waiting.project_id, waiting.destination)
    return OutboundRecord(waiting.lane.topic, key, queue_value(waiting.fence, now), partition)


def _key(project_id: UUID, destination: str) -> bytes:
    """By destination: one recipient's messages travel close together, though not in strict order.

    Topics are kept for days and erased by nobody, so the address itself is not in them: sixteen bits of its digest are
    plenty for a few partitions, and too few to find anybody by.
    """
    return blake2b(f"{project_id}:{destination}".encode(), digest_size=2).hexdigest().encode()
