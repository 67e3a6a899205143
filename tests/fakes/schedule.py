"""The index in memory: as much of Redis as the schedule uses."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.ids import from_milliseconds, milliseconds
from nofy.domain.timing import CLAIM_LEASE, DISPATCHER_SLEEP
from nofy.ports.schedule import EQUAL, NOBODY, Claim, Entry, Turn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nofy.domain.routing import Lane
    from tests.fakes.clock import ManualClock

Scores = dict[UUID, int]


@dataclass
class Turns:
    """Virtual times of one lane's projects: of those with due work, and of those that were served and have none."""

    busy: dict[UUID, float] = field(default_factory=dict)
    served: dict[UUID, float] = field(default_factory=dict)

    def enter(self, projects: Iterable[UUID]) -> None:
        lane = min(self.busy.values(), default=0.0)
        for each in projects:
            self.busy.setdefault(each, max(lane, self.served.get(each, 0.0)))

    def leave(self, project: UUID) -> None:
        self.served[project] = self.busy.pop(project)

    def forget(self) -> None:
        """Whom the lane has caught up with owes nothing any more."""
        lane = min(self.busy.values(), default=float("inf"))
        self.served = {each: turn for each, turn in self.served.items() if turn > lane}


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
        self._owners: dict[UUID, UUID] = {}
        self._turns: dict[Lane, Turns] = defaultdict(Turns)
        self._woken = False
        self._run: str | None = None
        self._epoch: str | None = None

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        for each in entries:
            self.due[each.lane][each.delivery_id] = milliseconds(each.due_at)
            self._owners[each.delivery_id] = each.project_id
            self._woken |= each.due_at <= now + timedelta(seconds=DISPATCHER_SLEEP)

    def register(self, run_id: str) -> None:
        self._run = run_id

    def claim(
        self,
        limits: Mapping[Lane, int],
        now: datetime,
        run_id: str,
        weights: Mapping[UUID, int] = EQUAL,
        passed_over: Mapping[Lane, Collection[UUID]] = NOBODY,
    ) -> Turn:
        now_ms = milliseconds(now, up=False)
        lease_ms = now_ms + CLAIM_LEASE * 1_000
        taken: dict[Lane, tuple[UUID, ...]] = {}
        heads: list[int] = []
        for lane, limit in limits.items():
            without = passed_over.get(lane, ())
            taken[lane] = self._take(lane, limit, now_ms, lease_ms, weights, without)
            passed = [each for each, due in self.due[lane].items() if due <= now_ms and self._owners[each] in without]
            heads += [due for each, due in self.due[lane].items() if each not in passed]
        return Turn(
            tuple(Claim(lane, ids, lease_ms) for lane, ids in taken.items() if ids),
            from_milliseconds(min(heads)) if heads else None,
            self._run in (None, run_id),
        )

    def _take(
        self,
        lane: Lane,
        limit: int,
        now_ms: int,
        lease_ms: int,
        weights: Mapping[UUID, int],
        without: Collection[UUID],
    ) -> tuple[UUID, ...]:
        left_behind = _first(self.leased[lane], now_ms)[:limit]
        due = self._serve(lane, limit - len(left_behind), now_ms, weights, without)
        for each in due:
            del self.due[lane][each]
        self.leased[lane].update(dict.fromkeys([*left_behind, *due], lease_ms))
        return (*left_behind, *due)

    def _serve(
        self, lane: Lane, room: int, now_ms: int, weights: Mapping[UUID, int], without: Collection[UUID]
    ) -> list[UUID]:
        """One id after the other, each of the project that is least far on."""
        waiting: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for each in _first(self.due[lane], now_ms):
            waiting[self._owners[each]].append(each)
        turns = self._turns[lane]
        turns.enter(waiting)
        starts = dict(turns.busy)
        queue = [(turns.busy[project], project.hex, project) for project in waiting if project not in without]
        heapq.heapify(queue)
        service: list[UUID] = []
        taken: defaultdict[UUID, int] = defaultdict(int)
        while queue and len(service) < room:
            _, name, project = heapq.heappop(queue)
            service.append(waiting[project][taken[project]])
            taken[project] += 1
            turns.busy[project] = starts[project] + taken[project] / weights.get(project, 1)
            if taken[project] < len(waiting[project]):
                heapq.heappush(queue, (turns.busy[project], name, project))
        for project in starts:
            if taken[project] == len(waiting[project]):
                turns.leave(project)
        turns.forget()
        return service

    def release(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            leased = self.leased[claim.lane]
            for each in claim.ids:
                if leased.get(each) == claim.lease_ms:
                    del leased[each]

    def remove(self, entries: Iterable[Entry]) -> None:
        for each in entries:
            self.due[each.lane].pop(each.delivery_id, None)

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


def _first(scores: Scores, until: int) -> list[UUID]:
    return [each for _, each in sorted((score, each) for each, score in scores.items() if score <= until)]
