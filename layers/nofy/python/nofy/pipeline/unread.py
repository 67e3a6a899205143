"""What lies unread in a lane's topic, where, and whose it is, as far as the dispatcher knows."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from nofy.ports.bus import Placement

# With fewer records unread than this a project does not hold its lane's credit.
HELD = 16


@dataclass(slots=True)
class Unread:
    """A lane's records that its consumers have not read, by partition and by project.

    A consumer takes what its partition has as one batch, and commits when that is done: what came before the last
    commit that was seen is in its hands, as much as a batch may have, and what came since waits for the next one.
    """

    in_partitions: Counter[int] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)  # those of them that are in nobody's hands yet
    ends: dict[int, int] | None = None  # where the topic's partitions end; None: not known
    read: int | None = None  # how far the consumers were when they were last asked about, over all partitions
    of: Counter[UUID] = field(default_factory=Counter)
    _placed: dict[int, deque[tuple[int, UUID]]] = field(default_factory=dict)
    _committed: dict[int, int] = field(default_factory=dict)
    _by_commit: dict[int, None] = field(default_factory=dict)  # partitions, whose commit was seen last at the end

    @property
    def count(self) -> int:
        return self.in_partitions.total()

    @property
    def holders(self) -> frozenset[UUID]:
        """The projects that hold the lane's credit."""
        return frozenset(each for each, count in self.of.items() if count >= HELD)

    def place(self, project: UUID, at: Placement) -> None:
        self.in_partitions[at.partition] += 1
        self.waiting[at.partition] += 1
        self.of[project] += 1
        self._placed.setdefault(at.partition, deque()).append((at.offset, project))
        if self.ends is not None:
            self.ends[at.partition] = max(self.ends.get(at.partition, 0), at.offset + 1)

    def measure(self, ends: dict[int, int], committed: Mapping[int, int], batch: int) -> int:
        """How much was read since the last time. ``batch``: the most that a consumer takes at once."""
        self.ends = ends
        self.in_partitions = Counter(
            {partition: max(0, end - committed.get(partition, 0)) for partition, end in ends.items()}
        )
        for partition, unread in self.in_partitions.items():
            if committed.get(partition, 0) > self._committed.get(partition, 0):
                self.waiting[partition] = max(0, unread - batch)
                self._by_commit.pop(partition, None)
                self._by_commit[partition] = None
            else:
                self.waiting[partition] = min(unread, self.waiting[partition])
        self._committed = {each: committed.get(each, 0) for each in ends}
        for partition, placed in self._placed.items():
            while placed and placed[0][0] < committed.get(partition, 0):
                self._forget(placed.popleft()[1])
        before, self.read = self.read, sum(ends.values()) - self.count
        return 0 if before is None else self.read - before

    def unknown(self) -> None:
        """The broker does not tell: whatever was placed counts as read."""
        self.in_partitions.clear()
        self.waiting.clear()
        self.of.clear()
        self._placed.clear()

    def room(self, batch: int) -> int:
        """How many more records there may be, if no batch to come should be longer."""
        return sum(max(0, batch - self.waiting[each]) for each in self.ends or ())

    def spread(self, count: int) -> list[int] | None:
        """The partitions of so many further records: of each in its turn, the one where the next batch is the shortest,
        and of such the one whose consumer has the least in hand. None where it is not known which there are.
        """
        if not self.ends:
            return None
        heap = [(self.waiting[each], self.in_partitions[each], each) for each in self.ends]
        heapify(heap)
        chosen = []
        for _ in range(count):
            waiting, unread, partition = heap[0]
            chosen.append(partition)
            heapreplace(heap, (waiting + 1, unread + 1, partition))
        return chosen

    def second(self, partition: int) -> tuple[int, ...]:
        """Of the other partitions the one whose consumer has been at work for the longest, as it should be done first.
        None where there is no other.
        """
        return tuple(each for each in (*self._by_commit, *(self.ends or ())) if each != partition)[:1]

    def _forget(self, project: UUID) -> None:
        self.of[project] -= 1
        if self.of[project] <= 0:
            del self.of[project]
