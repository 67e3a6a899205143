"""How much due work each lane may have in Kafka: the rest waits in Redis.

In Redis due work can still be reordered, cancelled and shared fairly; in Kafka's FIFO it cannot. So each lane has a
credit: a target (``pipeline/target.py``) minus what its consumers have not read yet. Nobody else produces to a lane, so
where its topic ends, and whose its unread records are, is known from the dispatcher's own placements; only how far the
consumers have read is asked, and only of a lane whose credit runs low.

Where it is used up, whoever holds it waits for it. A project that has next to nothing unread does not: a few of its
deliveries go beyond the credit, to be in the consumers' next batch and not in the one after.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Lane, Priority
from nofy.pipeline.target import LEAST_A_PARTITION, SharedTarget, target_lag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from nofy.domain.delivery import Waiting
    from nofy.ports.bus import Offsets, Placement
    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

# For whoever was not told (``runtime/settings.py``): one partition, and batches of 500.
DEFAULT_TARGET = target_lag(partitions=1, batch=500)
# A lane counts as used by others too for this long after it changed hands.
SHARED = timedelta(minutes=1)

# Taken from a lane in one turn at most; a turn over all lanes stays far inside the claim's lease.
TURN_LIMIT = 500
# The same while somebody more urgent is about: whoever of those comes in the middle of a turn waits for the end of it,
# and with turns of fifty the urgent are produced 15 to 22 ms after they are due, with a hundred 28 (medians on a busy
# machine). That is more than a thousand a second even so: less urgent lanes are slower beside urgent ones, and never
# stand still.
TURN_LIMIT_BESIDE_URGENT = 50
ABOUT = timedelta(seconds=1)

# With fewer records unread than this a project does not hold its lane's credit, and need not wait for it. So many of
# such projects' go beyond it in a turn, and all together no more than the credit once again.
HELD = 16
BEYOND = 16

# A lane whose credit is used up gets so many a second all the same: what is measured may be wrong (a group that
# commits late or never), and a lane that is given nothing never shows it. By the second and not by the turn: turns
# may be milliseconds apart, and would undo the credit.
FLOOR = 10
# And so many where it cannot be measured at all: Kafka takes records, so consumers most likely read them.
FLOOR_UNMEASURED = TURN_LIMIT
# A floor is not saved up for longer than this.
FLOOR_SAVED = timedelta(seconds=1)
# A lane is measured at most this often: about as long as the quickest batch takes, with a provider that takes 50 ms.
MEASURE_EVERY = timedelta(milliseconds=50)


@dataclass(slots=True)
class _Unread:
    """A lane's records that its consumers have not read, as far as is known, and whose they are."""

    count: int = 0
    ends: dict[int, int] | None = None  # where the topic's partitions end; None: not known
    read: int | None = None  # how far the consumers were when they were last asked about, over all partitions
    of: Counter[UUID] = field(default_factory=Counter)
    _placed: dict[int, deque[tuple[int, UUID]]] = field(default_factory=dict)

    def place(self, project: UUID, at: Placement) -> None:
        self.count += 1
        self.of[project] += 1
        self._placed.setdefault(at.partition, deque()).append((at.offset, project))
        if self.ends is not None:
            self.ends[at.partition] = max(self.ends.get(at.partition, 0), at.offset + 1)

    def measure(self, ends: dict[int, int], committed: Mapping[int, int]) -> int:
        """How much was read since the last time."""
        self.ends = ends
        self.count = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
        for partition, placed in self._placed.items():
            while placed and placed[0][0] < committed.get(partition, 0):
                self._forget(placed.popleft()[1])
        before, self.read = self.read, sum(ends.values()) - self.count
        return 0 if before is None else self.read - before

    def unknown(self) -> None:
        """The broker does not tell: whatever was placed counts as read."""
        self.count = 0
        self.of.clear()
        self._placed.clear()

    def _forget(self, project: UUID) -> None:
        self.of[project] -= 1
        if self.of[project] <= 0:
            del self.of[project]


@dataclass(slots=True)
class _Account:
    """One lane's. ``most``: its target while one project uses it alone."""

    most: int
    unread: _Unread = field(default_factory=_Unread)
    sharing: SharedTarget | None = None  # None: nobody knows how many partitions there are
    project: UUID | None = None  # whose the last record was
    placed_at: datetime | None = None
    shared_at: datetime | None = None  # when the lane last changed hands
    used_up: bool = False  # since it was last measured
    measured_at: datetime | None = None
    unmeasured: bool = False  # the last try failed
    floor_at: datetime | None = None  # since when its floor grows

    def shared(self, now: datetime) -> bool:
        return self.shared_at is not None and now - self.shared_at <= SHARED

    def target(self, now: datetime) -> int:
        if not self.shared(now):
            return self.most
        return int(self.sharing.target) if self.sharing else min(self.most, LEAST_A_PARTITION)

    def place(self, project: UUID, at: Placement, now: datetime) -> None:
        if self.project not in (None, project):
            self.shared_at = now
        self.project, self.placed_at = project, now
        self.unread.place(project, at)

    def learn(self, read: int, now: datetime) -> None:
        if self.sharing is None:
            least = LEAST_A_PARTITION * max(1, len(self.unread.ends or ()))
            self.sharing = SharedTarget(min(self.most, least), self.most)
        self.sharing.learn(read, self.unread.count, now, used_up=self.used_up and self.shared(now))
        self.used_up = False

    def floor(self, now: datetime) -> int:
        """What has grown since it was last given."""
        since = max(self.floor_at or now, now - FLOOR_SAVED)
        rate = FLOOR_UNMEASURED if self.unmeasured else FLOOR
        grown = int(rate * (now - since).total_seconds())
        self.floor_at = since + timedelta(seconds=grown / rate)
        return grown


class LaneCredit:
    """Credit per lane, measured only where it runs low: an idle system asks Kafka nothing.

    ``targets`` are by the lanes' names. ``holders``, of each lane whose credit was used up at the last look, are the
    projects that are given no more of it for now.
    """

    def __init__(self, offsets: Offsets, clock: Clock, targets: Mapping[str, int] | None = None) -> None:
        self._offsets = offsets
        self._clock = clock
        known = targets or {}
        self._accounts = {lane: _Account(known.get(lane.name, DEFAULT_TARGET)) for lane in LANES}
        self.holders: dict[Lane, frozenset[UUID]] = {}

    def begin(self) -> None:
        """A run begins: other runs may have produced since this one's predecessor here, so no end is known any more."""
        for account in self._accounts.values():
            account.unread.ends, account.unread.read = None, None

    def limits(self) -> dict[Lane, int]:
        """What each lane may be given in the next turn, urgent lanes first; who may be given nothing is not in it."""
        now = self._clock()
        self.holders = {}
        limits: dict[Lane, int] = {}
        for lane, account in self._accounts.items():
            most = TURN_LIMIT_BESIDE_URGENT if self._urgent_about(lane.priority, now) else TURN_LIMIT
            if limit := min(most, self._credit(lane, account, now)):
                limits[lane] = limit
        return limits

    def spend(self, placed: Iterable[tuple[Waiting, Placement]]) -> None:
        """Note what was produced, and where."""
        now = self._clock()
        for each, at in placed:
            self._accounts[each.lane].place(each.project_id, at, now)

    def _urgent_about(self, priority: Priority, now: datetime) -> bool:
        """Whether a more urgent lane had work within the last second."""
        order = list(Priority)
        return any(
            account.placed_at is not None and now - account.placed_at < ABOUT
            for lane, account in self._accounts.items()
            if order.index(lane.priority) < order.index(priority)
        )

    def _credit(self, lane: Lane, account: _Account, now: datetime) -> int:
        target = account.target(now)
        account.used_up |= account.unread.count >= target
        if account.unread.count >= target // 2:
            self._measure(lane, account, now)
            target = account.target(now)
        left = target - account.unread.count
        if left > 0:
            account.floor_at = now
            return left
        return self._beyond(lane, account, target, now)

    def _beyond(self, lane: Lane, account: _Account, target: int, now: datetime) -> int:
        """What is given all the same: anybody's floor, else a little of whoever has next to nothing unread."""
        self.holders[lane] = frozenset()
        if floor := account.floor(now):
            return floor
        self.holders[lane] = frozenset(each for each, count in account.unread.of.items() if count >= HELD)
        return max(0, min(BEYOND, 2 * target - account.unread.count)) if self.holders[lane] else 0

    def _measure(self, lane: Lane, account: _Account, now: datetime) -> None:
        if account.measured_at is not None and now - account.measured_at < MEASURE_EVERY:
            return
        account.measured_at = now
        try:
            self._ask(lane, account, now)
            account.unmeasured = False
        except BusUnavailableError:
            account.unmeasured = True
            log.warning("lag not known; the lane keeps a floor", extra={"lane": lane.name}, exc_info=True)

    def _ask(self, lane: Lane, account: _Account, now: datetime) -> None:
        ends = account.unread.ends
        if ends is None:
            ends = self._offsets.ends(lane.topic)
        if ends is None:
            account.unread.unknown()
            return
        read = account.unread.measure(ends, self._offsets.committed(lane.group, lane.topic))
        account.learn(read, now)
