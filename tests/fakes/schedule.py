"""The index in memory: as much of Redis as the schedule uses."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.ids import from_milliseconds, milliseconds
from nofy.domain.timing import CLAIM_LEASE, DISPATCHER_SLEEP
from nofy.ports.schedule import Claim, Entry, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nofy.domain.routing import Lane
    from tests.fakes.clock import ManualClock

Scores = dict[UUID, int]


class MemorySchedule:
    """Implements :class:`nofy.ports.schedule.Schedule`. Sleeping moves the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._epochs = count(1)
        self.wipe()

    def wipe(self) -> None:
        """FLUSHALL."""
        self.due: dict[Lane, Scores] = defaultdict(dict)
        self.leased: dict[Lane, Scores] = defaultdict(dict)
        self._woken = False
        self._run: str | None = None
        self._epoch: str | None = None

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        for each in entries:
            self.due[each.lane][each.delivery_id] = milliseconds(each.due_at)
            self._woken |= each.due_at <= now + timedelta(seconds=DISPATCHER_SLEEP)

    def register(self, run_id: str) -> None:
        self._run = run_id

    def claim(self, limits: Mapping[Lane, int], now: datetime, run_id: str) -> Turn:
        now_ms = milliseconds(now, up=False)
        lease_ms = now_ms + CLAIM_LEASE * 1_000
        taken = {lane: self._take(lane, limit, now_ms, lease_ms) for lane, limit in limits.items()}
        heads = [min(self.due[lane].values()) for lane in limits if self.due[lane]]
        return Turn(
            tuple(Claim(lane, ids, lease_ms) for lane, ids in taken.items() if ids),
            from_milliseconds(min(heads)) if heads else None,
            self._run in (None, run_id),
        )

    def _take(self, lane: Lane, limit: int, now_ms: int, lease_ms: int) -> tuple[UUID, ...]:
        left_behind = _first(self.leased[lane], now_ms, limit)
        due = _first(self.due[lane], now_ms, limit - len(left_behind))
        for each in due:
            del self.due[lane][each]
        self.leased[lane].update(dict.fromkeys([*left_behind, *due], lease_ms))
        return (*left_behind, *due)

    def release(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            leased = self.leased[claim.lane]
            for each in claim.ids:
                if leased.get(each) == claim.lease_ms:
                    del leased[each]

    def remove(self, lane: Lane, ids: Iterable[UUID]) -> None:
        for each in ids:
            self.due[lane].pop(each, None)

    def sleep(self, seconds: float) -> None:
        if not self._woken or seconds < 0.001:  # Redis takes nothing shorter, and then no wake is used up
            self._clock.advance(max(0.0, seconds))
            return
        self._woken = False

    def epoch(self) -> str:
        self._epoch = self._epoch or f"epoch-{next(self._epochs)}"
        return self._epoch

    def knows(self, delivery_id: UUID) -> bool:
        """Whether the id is in the index at all, due or leased."""
        return any(delivery_id in scores for index in (self.due, self.leased) for scores in index.values())


def _first(scores: Scores, until: int, limit: int) -> list[UUID]:
    ordered = sorted((score, each) for each, score in scores.items() if score <= until)
    return [each for _, each in ordered[: max(0, limit)]]
