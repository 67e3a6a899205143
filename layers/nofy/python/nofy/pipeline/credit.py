"""How much due work each lane may have in Kafka: the rest waits in Redis.

In Redis due work can still be reordered, cancelled and shared fairly; in Kafka's FIFO it cannot. So each lane has a
credit: a target minus what its consumers have not read yet. The target is what keeps them busy and no more
(:func:`target_lag`). Nobody else produces to a lane, so where its topic ends is known from the dispatcher's own
placements; only how far the consumers have read is asked, and only of a lane whose credit runs low.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Lane, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from nofy.ports.bus import Offsets, Placement
    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

# Batches a partition may have unread: the one its consumer has in hand, and one to go on with when that is done.
# With fewer a consumer waits for the dispatcher after each batch; every one more is a batch's time that a quiet
# project's delivery stands behind what others queued before it.
BATCHES_AHEAD = 2
# For whoever was not told (``runtime/settings.py``): one partition, and batches of 500.
DEFAULT_TARGET = BATCHES_AHEAD * 500

# Taken from a lane in one turn at most; a turn over all lanes stays far inside the claim's lease.
TURN_LIMIT = 500
# The same while somebody more urgent is about: whoever of those comes in the middle of a turn waits for the end of it,
# and a turn of a hundred is over in about a fifth of the time. Enough for thousands a second even so: less urgent lanes
# are slower beside urgent ones, and never stand still.
TURN_LIMIT_BESIDE_URGENT = 100
ABOUT = timedelta(seconds=1)

# A lane whose credit is used up gets so many a second all the same: what is measured may be wrong (a group that
# commits late or never), and a lane that is given nothing never shows it. By the second and not by the turn: turns
# may be milliseconds apart, and would undo the credit.
FLOOR = 10
# And so many where it cannot be measured at all: Kafka takes records, so consumers most likely read them.
FLOOR_UNMEASURED = TURN_LIMIT
# A floor is not saved up for longer than this.
FLOOR_SAVED = timedelta(seconds=1)
# A lane is measured at most this often: twice in the time that a batch of 500 takes its consumer at the best
# (2,700/s measured on a laptop).
MEASURE_EVERY = timedelta(milliseconds=100)


def target_lag(partitions: int, batch: int) -> int:
    """Records a lane may have unread in Kafka: what keeps a consumer of each partition busy."""
    return BATCHES_AHEAD * partitions * batch


@dataclass(slots=True)
class _Account:
    """One lane's: ``used`` of ``target``, as far as is known."""

    target: int
    used: int = 0
    ends: dict[int, int] | None = None  # where its topic's partitions end; None: not known
    measured_at: datetime | None = None
    unmeasured: bool = False  # the last try failed
    floor_at: datetime | None = None  # since when its floor grows
    placed_at: datetime | None = None

    @property
    def left(self) -> int:
        return self.target - self.used


class LaneCredit:
    """Credit per lane, measured only where it runs low: an idle system asks Kafka nothing.

    ``targets`` are by the lanes' names.
    """

    def __init__(self, offsets: Offsets, clock: Clock, targets: Mapping[str, int] | None = None) -> None:
        self._offsets = offsets
        self._clock = clock
        known = targets or {}
        self._accounts = {lane: _Account(known.get(lane.name, DEFAULT_TARGET)) for lane in LANES}

    def begin(self) -> None:
        """A run begins: other runs may have produced since this one's predecessor here, so no end is known any more."""
        for account in self._accounts.values():
            account.ends = None

    def limits(self) -> dict[Lane, int]:
        """What each lane may be given in the next turn, urgent lanes first; who may be given nothing is not in it."""
        now = self._clock()
        limits: dict[Lane, int] = {}
        for lane, account in self._accounts.items():
            most = TURN_LIMIT_BESIDE_URGENT if self._urgent_about(lane.priority, now) else TURN_LIMIT
            if limit := min(most, self._credit(lane, account, now)):
                limits[lane] = limit
        return limits

    def spend(self, placed: Iterable[tuple[Lane, Placement]]) -> None:
        """Note where records were produced."""
        now = self._clock()
        for lane, at in placed:
            account = self._accounts[lane]
            account.used += 1
            account.placed_at = now
            if account.ends is not None:
                account.ends[at.partition] = max(account.ends.get(at.partition, 0), at.offset + 1)

    def _urgent_about(self, priority: Priority, now: datetime) -> bool:
        """Whether a more urgent lane had work within the last second."""
        order = list(Priority)
        return any(
            account.placed_at is not None and now - account.placed_at < ABOUT
            for lane, account in self._accounts.items()
            if order.index(lane.priority) < order.index(priority)
        )

    def _credit(self, lane: Lane, account: _Account, now: datetime) -> int:
        if account.left <= account.target // 2:
            self._measure(lane, account, now)
        if account.left > 0:
            account.floor_at = now
            return account.left
        return self._floor(account, now)

    def _floor(self, account: _Account, now: datetime) -> int:
        """What has grown since it was last given."""
        since = max(account.floor_at or now, now - FLOOR_SAVED)
        rate = FLOOR_UNMEASURED if account.unmeasured else FLOOR
        grown = int(rate * (now - since).total_seconds())
        account.floor_at = since + timedelta(seconds=grown / rate)
        return grown

    def _measure(self, lane: Lane, account: _Account, now: datetime) -> None:
        if account.measured_at is not None and now - account.measured_at < MEASURE_EVERY:
            return
        account.measured_at = now
        try:
            account.used = self._lag(lane, account)
            account.unmeasured = False
        except BusUnavailableError:
            account.unmeasured = True
            log.warning("lag not known; the lane keeps a floor", extra={"lane": lane.name}, exc_info=True)

    def _lag(self, lane: Lane, account: _Account) -> int:
        if account.ends is None:
            account.ends = self._offsets.ends(lane.topic)
        if account.ends is None:
            return 0  # its broker does not tell
        committed = self._offsets.committed(lane.group, lane.topic)
        return sum(max(0, end - committed.get(partition, 0)) for partition, end in account.ends.items())
