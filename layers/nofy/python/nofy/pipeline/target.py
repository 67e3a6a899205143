"""How many records of a lane may lie in Kafka unread.

A lane that one project uses alone may have as much as keeps its consumers' batches full: nobody else waits behind it.
One that others use too has little, so that little stands before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Batches a partition may have unread: the one its consumer has in hand, and one to go on with when that is done.
# With fewer a consumer waits for the dispatcher after each batch; more would only wait.
BATCHES_AHEAD = 2

# The least a partition has unread, where the search begins: half the calls that a sender has in flight at once
# (``pipeline/send.py``). A slow provider that bears all of them lets the target grow, as records take no longer for it.
LEAST_A_PARTITION = 16
# So long a record may be in Kafka whatever is found (seconds): a little less than two batches with a provider that
# takes 50 ms. And so many times as long as it takes at the best, where that is more. Beside a busy project with 0.2 and
# 1.5 consumers read 480 to 500 a second of 640, and a quiet one waited 3.4 to 3.9 times as long as alone; with 0.16 and
# 1.1 400 to 480, and 1.8 to 2.4 times; with 0.12 and 1.0 255, and 1.6 to 1.8 times (before its records were hedged; P10
# of docs/performance.md). What it costs them beside the fullest batches is held in
# ``tests/unit/pipeline/test_target.py``: a third at most.
WAIT = 0.14
STRETCH = 1.1
# How fast the target is sought, each time that so long was measured. A step down undoes a step up: with 1.1 and 0.9
# what is measured too long by chance as often as too short lets the target shrink, and a provider of a second was read
# at a sixth of what it bears. Smaller steps are slow to find such a provider's target, larger ones make longer batches.
MORE = 1.2
LESS = 1 / MORE
TRIED = timedelta(milliseconds=500)


def target_lag(partitions: int, batch: int) -> int:
    """Of a lane that one project uses alone: what keeps a consumer of each partition busy."""
    return BATCHES_AHEAD * partitions * batch


def longest_batch(target: int, partitions: int) -> int:
    """The other way round: of a partition, by a lane's target."""
    return max(1, target // BATCHES_AHEAD // max(1, partitions))


@dataclass(slots=True)
class SharedTarget:
    """Of a lane that projects share: as little as costs its consumers little, found by trying.

    A record's time in Kafka is the lag over the rate at which consumers read (Little's law), as long as the credit is
    used up. While it is no more than a stretch of the best, the target grows: batches grow with it, and what each of
    them costs is spread over more. Beyond that records only wait, and it shrinks. At the least target the best time is
    what is seen: the provider may have become slower.
    """

    least: int
    most: int
    target: float = 0.0
    best: float = 0.0  # seconds
    _read: int = 0
    _since: datetime | None = None

    def __post_init__(self) -> None:
        self.target = self.least

    def learn(self, read: int, lag: int, now: datetime, *, used_up: bool) -> None:
        """So many were read since the last time, and so many are not. Counted from one batch's end to another's."""
        self._read += read
        if not used_up:
            self._since = None  # what was read was all there was, and says nothing of the consumers
        elif read and self._since is None:
            self._read, self._since = 0, now
        elif read and self._since and now - self._since >= TRIED:
            self._try(max(self.target, lag) * (now - self._since).total_seconds() / self._read)
            self._read, self._since = 0, now

    def _try(self, seconds: float) -> None:
        self.best = seconds if self.target <= self.least else min(self.best, seconds)
        factor = MORE if seconds <= max(WAIT, STRETCH * self.best) else LESS
        self.target = min(self.most, max(self.least, self.target * factor))
