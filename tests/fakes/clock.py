"""Time that moves when it is told to, and randomness that is known beforehand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from nofy.domain.ids import uuid7

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.ports.clock import Clock

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class ManualClock:
    """Implements :class:`nofy.ports.clock.Clock`."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Scripted:
    """Implements :class:`nofy.ports.clock.Random`: the given numbers in turn, then the last one for ever."""

    def __init__(self, *numbers: float) -> None:
        self._numbers = list(numbers or (0.5,))

    def __call__(self) -> float:
        return self._numbers.pop(0) if len(self._numbers) > 1 else self._numbers[0]


class CountingIds:
    """UUIDv7s of a clock whose random part counts, so that a failing test names the same ids again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = count(1)

    def __call__(self) -> UUID:
        return self.born_at(self._clock())

    def born_at(self, moment: datetime) -> UUID:
        return uuid7(moment, next(self._count).to_bytes(10, "big"))
