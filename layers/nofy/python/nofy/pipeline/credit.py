"""How much due work each lane may have in Kafka: the rest waits in Redis.

In Redis due work can still be reordered, cancelled and shared fairly; in Kafka's FIFO it cannot. So each lane has a
credit: a target (``pipeline/target.py``) minus what its consumers have not read yet. Nobody else produces to a lane, so
where its topic ends, and whose its unread records are, is known from the dispatcher's own placements; only how far the
consumers have read is asked, and only of a lane whose credit runs low.

Where it is used up, whoever holds it waits for it. A project that has next to nothing unread does not: a few of its
deliveries go beyond the credit, to be in the consumers' next batch and not in the one after, and to two consumers at
once (``pipeline/hedge.py``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Lane, Priority
from nofy.pipeline.hedge import hedge
from nofy.pipeline.target import BATCHES_AHEAD, LEAST_A_PARTITION, SharedTarget, longest_batch, target_lag
from nofy.pipeline.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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

# Of projects that do not hold their lane's credit (``pipeline/unread.py``) and need not wait for it, so many records go
# beyond it in a turn, and all together no more than the credit once again.
BEYOND = 16

# A lane whose credit is used up gets so many a second all the same: what is measured may be wrong (a group that
# commits late or never), and a lane that is given nothing never shows it. By the second and not by the turn: turns
# may be milliseconds apart, and would undo the credit.
FLOOR = 10
# And so many where it cannot be measured at all: Kafka takes records, so consumers most likely read them.
FLOOR_UNMEASURED = TURN_LIMIT
# A floor is not saved up for longer than this.
FLOOR_SAVED = timedelta(seconds=1)
# A lane is measured at most this often: half as long as the quickest batch takes, with a provider that takes 50 ms.
# With 50 ms consumers that share a lane wait for what they may have next: they read 280 to 370 a second behind a
# backlog, with these 350 to 470.
MEASURE_EVERY = timedelta(milliseconds=25)


@dataclass(slots=True)
class _Account:
    """One lane's. ``most``: its target while one project uses it alone."""

    most: int
    unread: Unread = field(default_factory=Unread)
    sharing: SharedTarget | None = None  # None: nobody knows how many partitions there are
    project: UUID | None = None  # whose the last record was
    placed_at: datetime | None = None
    shared_at: datetime | None = None  # when the lane last changed hands
    used_up: bool = False  # since it was last measured
    measured_at: datetime | None = None
    unmeasured: bool = False  # the last try failed
    floor_at: datetime | None = None  # since when its floor grows
    refused_at: datetime | None = None  # when Kafka last refused a record of it

    def shared(self, now: datetime) -> bool:
        return self.shared_at is not None and now - self.shared_at <= SHARED

    def target(self, now: datetime) -> int:
        if not self.shared(now):
            return self.most
        return int(self.sharing.target) if self.sharing else min(self.most, LEAST_A_PARTITION)

    def left(self, now: datetime) -> int:
        """How much of its target is not used."""
        target = self.target(now)
        room = self.room(target) if self.shared(now) else None
        return target - self.unread.count if room is None else room

    def is_low(self, left: int, now: datetime) -> bool:
        """Whether half of what there can be is used, so that it is time to ask how far consumers are."""
        target = self.target(now)
        return left <= (target // BATCHES_AHEAD if self.shared(now) else target) // 2

    def room(self, target: int) -> int | None:
        """How much more there may be of a lane that projects share. None: its partitions are not known.

        Of the batches ahead each by itself is bounded, and not only their sum: a consumer that has little in hand would
        be given much to go on with, and then little again, for ever; and everybody waits for the long ones.
        """
        ends = self.unread.ends
        return self.unread.room(longest_batch(target, len(ends))) if ends else None

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

    def partitions(self, lane: Lane, projects: Sequence[UUID]) -> Sequence[tuple[int | None, ...]]:
        """Where each of its next records goes, by whose it is; None: wherever its key leads.

        Chosen where projects share the lane: a consumer takes all that its partition has, and whoever comes next waits
        for the end of it, so that no batch should be longer than the others. While Kafka refuses records nothing is
        chosen, as the partition that nothing can be placed in has the least unread.
        """
        account, now = self._accounts[lane], self._clock()
        refused = account.refused_at is not None and now - account.refused_at <= SHARED
        chosen = account.unread.spread(len(projects)) if account.shared(now) and not refused else None
        return hedge(projects, chosen, account.unread, account.target(now)) if chosen else [(None,)] * len(projects)

    def refuse(self, lanes: Iterable[Lane]) -> None:
        """Note that Kafka did not take records of these."""
        now = self._clock()
        for each in lanes:
            self._accounts[each].refused_at = now

    def _urgent_about(self, priority: Priority, now: datetime) -> bool:
        """Whether a more urgent lane had work within the last second."""
        order = list(Priority)
        return any(
            account.placed_at is not None and now - account.placed_at < ABOUT
            for lane, account in self._accounts.items()
            if order.index(lane.priority) < order.index(priority)
        )

    def _credit(self, lane: Lane, account: _Account, now: datetime) -> int:
        left = account.left(now)
        account.used_up |= left <= 0
        if account.is_low(left, now):
            self._measure(lane, account, now)
            left = account.left(now)
        if left > 0:
            account.floor_at = now
            return left
        return self._beyond(lane, account, now)

    def _beyond(self, lane: Lane, account: _Account, now: datetime) -> int:
        """What is given all the same: anybody's floor, else a little of whoever has next to nothing unread."""
        self.holders[lane] = frozenset()
        if floor := account.floor(now):
            return floor
        self.holders[lane] = account.unread.holders
        return max(0, min(BEYOND, 2 * account.target(now) - account.unread.count)) if self.holders[lane] else 0

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
        read = account.unread.measure(
            ends, self._offsets.committed(lane.group, lane.topic), longest_batch(account.most, len(ends))
        )
        account.learn(read, now)
