"""What is counted about deliveries, and how it is read: counters, histograms of time, ranges of the overview."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING

from nofy.domain.outcomes import Accepted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Change


class Range(StrEnum):
    """How far back the overview looks."""

    QUARTER = "15m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def step_seconds(self) -> int:
        """The width of a bucket: whole minutes where minutes are kept, whole hours beyond."""
        return _STEPS[self][0]

    @property
    def buckets(self) -> int:
        return _STEPS[self][1]


_STEPS = {
    Range.QUARTER: (60, 15),
    Range.HOUR: (60, 60),
    Range.SIX_HOURS: (300, 72),
    Range.DAY: (900, 96),
    Range.WEEK: (2 * 3600, 84),
    Range.MONTH: (8 * 3600, 90),
}

# Single minutes are kept for the day (and a bucket's margin), then hours for the month, then one sum.
MINUTES_KEPT = timedelta(hours=25)
HOURS_KEPT = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to deliveries. ``failed`` is given up or left as unknown; ``retried`` counts attempts.

    ``corrected`` were counted as failed before and as sent when that turned out to be true.
    """

    accepted: int = 0
    sent: int = 0
    failed: int = 0
    retried: int = 0
    cancelled: int = 0
    expired: int = 0
    redriven: int = 0
    corrected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def live(self) -> int:
        """How many deliveries have not ended, where everything since the first is counted in here."""
        begun = self.accepted + self.redriven + self.corrected
        return begun - self.sent - self.failed - self.cancelled - self.expired

    @property
    def success_rate(self) -> float | None:
        """The share of sent among sent and failed; None where neither happened."""
        failed = max(0, self.failed - self.corrected)
        return self.sent / (self.sent + failed) if self.sent + failed else None


# Buckets of time to provider: 0 is below the floor, then four to the doubling; the last takes all that is longer.
FLOOR_MS, PER_DOUBLING, LAST = 8, 4, 80


def time_bucket(milliseconds: float) -> int:
    """Where a time is counted, as ``nofy_time_bucket`` has it."""
    place = 1 + math.floor(PER_DOUBLING * math.log2(max(milliseconds, 1) / FLOOR_MS))
    return min(LAST, max(0, place))


def added(histograms: Iterable[Sequence[int]]) -> list[int]:
    return [sum(each) for each in zip_longest(*histograms, fillvalue=0)]


def percentile(histogram: Sequence[int], share: float) -> int | None:
    """The milliseconds that this share of what was sent did not exceed: its bucket's middle, at most 9 % off."""
    wanted = math.ceil(share * sum(histogram))
    if not wanted:
        return None
    place = next(place for place, seen in enumerate(accumulate(histogram)) if seen >= wanted)
    return round(FLOOR_MS / 2 if place == 0 else FLOOR_MS * 2 ** ((place - 0.5) / PER_DOUBLING))


def decided_at(change: Change) -> datetime:
    """When what a change tells of happened: the provider's answer if it took the message, else the last word."""
    taken = [each.finished_at for each in change.reports if isinstance(each.outcome, Accepted)]
    return taken[0] if taken else change.reports[-1].finished_at
