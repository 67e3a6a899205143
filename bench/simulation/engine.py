"""Time that jumps from event to event, and what several have to share while it does."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Action = Callable[[], None]


class Timeline:
    """Actions in the order of their time; those of one moment in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Action]] = []
        self._count = 0

    def after(self, seconds: float, action: Action) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + seconds, self._count, action))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = until


class Gauge:
    """A number that goes up and down, and its mean over the time since :meth:`reset`."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._since = self._changed = 0.0
        self._area = 0.0
        self.value = 0

    def add(self, change: int) -> None:
        self._advance()
        self.value += change

    def mean(self) -> float:
        self._advance()
        past = self._timeline.now - self._since
        return self._area / past if past else 0.0

    def reset(self) -> None:
        """Forget the time so far: what a system does until it has filled says nothing about it."""
        self._since = self._changed = self._timeline.now
        self._area = 0.0

    def _advance(self) -> None:
        self._area += self.value * (self._timeline.now - self._changed)
        self._changed = self._timeline.now


class Station:
    """``capacity`` places, first come, first served: cores, connections, functions that may run at once."""

    def __init__(self, timeline: Timeline, capacity: int) -> None:
        self._timeline = timeline
        self.capacity = capacity
        self.taken = Gauge(timeline)
        self._queue: deque[Action] = deque()

    def acquire(self, then: Action) -> None:
        if self.taken.value < self.capacity:
            self.taken.add(1)
            then()
        else:
            self._queue.append(then)

    def release(self) -> None:
        """The place goes to who has waited longest, without being free in between."""
        if self._queue:
            self._queue.popleft()()
        else:
            self.taken.add(-1)

    def serve(self, seconds: float, then: Action) -> None:
        """A place for so long."""

        def served() -> None:
            self.release()
            then()

        self.acquire(lambda: self._timeline.after(seconds, served))

    def used(self) -> float:
        """The share of its places that is taken, on average."""
        return self.taken.mean() / self.capacity
