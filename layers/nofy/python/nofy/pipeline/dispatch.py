"""Dispatch: from Redis to Kafka, each id once, or again under the same fence.

Runs overlap by design: EventBridge starts one every minute and a run goes on until it sees a newer one. What
keeps two of them apart are the leases of the claim; what makes a doubled record harmless is the fence it
carries. Reserved concurrency would be neither.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError, ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.records import OutboundRecord, queue_value
from nofy.domain.timing import DISPATCHER_SLEEP, INDEX_WINDOW
from nofy.ports.schedule import Entry
from nofy.ports.store import Queued

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.domain.delivery import Waiting
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


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One run's ports; ``pause`` waits after a failure (seconds)."""

    store: Dispatches
    schedule: Schedule
    bus: Bus
    credit: LaneCredit
    clock: Clock
    pause: Callable[[float], None]

    def run(self, run_id: str, ends_at: datetime) -> Dispatched:
        """Turn after turn until a newer run has registered or ``ends_at`` has come."""
        done = Dispatched()
        registered = False
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
        return done

    def _turn(self, run_id: str, done: Dispatched) -> bool:
        """One look at every lane; False when a newer run has taken over."""
        turn = self.schedule.claim(self.credit.limits(), self.clock(), run_id)
        done.turns += 1
        if turn.claims:
            self._move(turn, done)
        elif turn.newest_run:
            self.schedule.sleep(self._idle(turn))
        return turn.newest_run

    def _idle(self, turn: Turn) -> float:
        if turn.next_due is None:
            return DISPATCHER_SLEEP
        return min(DISPATCHER_SLEEP, max(0.0, (turn.next_due - self.clock()).total_seconds()))

    def _move(self, turn: Turn, done: Dispatched) -> None:
        ids = [each for claim in turn.claims for each in claim.ids]
        now = self.clock()
        sorted_ = _sort(self.store.waiting(ids), now)
        failed = self._produce(sorted_.due, now, done)
        self._end(sorted_, done)
        self._put_back([*sorted_.later, *failed], now)
        self.schedule.release(turn.claims)
        done.put_back += len(sorted_.later) + len(failed)
        done.forgotten += len(ids) - sum(map(len, (sorted_.due, sorted_.later, sorted_.held, sorted_.expired)))
        if failed:
            done.failures += 1
            self.pause(DISPATCHER_SLEEP)

    def _produce(self, due: list[Waiting], now: datetime, done: Dispatched) -> list[Waiting]:
        """Produce and mark what Kafka took; returns what it did not (and which may still arrive there)."""
        if not due:
            return []
        placements = self.bus.publish([_record(each, now) for each in due])
        placed = [(each, at) for each, at in zip(due, placements, strict=True) if at]
        self.store.mark_queued([Queued(each.fence, at.partition, at.offset) for each, at in placed])
        self.credit.spend(each.lane for each, _ in placed)
        done.queued += len(placed)
        return [each for each, at in zip(due, placements, strict=True) if at is None]

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


def _record(waiting: Waiting, now: datetime) -> OutboundRecord:
    key = _key(waiting.project_id, waiting.destination)
    return OutboundRecord(waiting.lane.topic, key, queue_value(waiting.fence, now))


def _key(project_id: UUID, destination: str) -> bytes:
    """By destination: one recipient's messages travel close together, though not in strict order.

    Topics are kept for days and erased by nobody, so the address itself is not in them: sixteen bits of its digest are
    plenty for a few partitions, and too few to find anybody by.
    """
    return blake2b(f"{project_id}:{destination}".encode(), digest_size=2).hexdigest().encode()
