"""Kafka in memory: topics of partitions of records, and how far groups have read."""

from __future__ import annotations

import threading
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError
from nofy.domain.records import InboundRecord, OutboundRecord
from nofy.ports.bus import Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nofy.ports.clock import Clock

PARTITIONS = 3
LARGEST = 1024 * 1024


class MemoryBus:
    """Implements :class:`nofy.ports.bus.Bus`. ``refuses`` says which records are not acknowledged."""

    def __init__(self, clock: Clock, *, partitions: int = PARTITIONS, largest: int = LARGEST) -> None:
        self._clock = clock
        self._partitions = partitions
        self._largest = largest
        self._lock = threading.Lock()  # a consumer publishes from several threads
        self.topics: dict[str, list[list[InboundRecord]]] = defaultdict(lambda: [[] for _ in range(partitions)])
        self.commits: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self.refuses: Callable[[OutboundRecord], bool] = lambda _: False
        self.late: list[OutboundRecord] = []  # refused, and still to arrive if ``late_arrivals`` is set
        self.late_arrivals = False

    def publish(self, records: Sequence[OutboundRecord]) -> list[Placement | None]:
        with self._lock:
            return [self._publish(each) for each in records]

    def _publish(self, record: OutboundRecord) -> Placement | None:
        if len(record.value) > self._largest:
            return None
        if self.refuses(record):
            if self.late_arrivals:
                self.late.append(record)
            return None
        return self._append(record)

    def _append(self, record: OutboundRecord) -> Placement:
        number = zlib.crc32(record.key) % self._partitions if record.partition is None else record.partition
        partition = self.topics[record.topic][number]
        stamp = int(self._clock().timestamp() * 1_000)
        partition.append(InboundRecord(record.topic, number, len(partition), record.key, record.value, stamp))
        return Placement(number, len(partition) - 1)

    def arrive_late(self) -> None:
        """What the producer gave up on reaches Kafka after all."""
        late, self.late = self.late, []
        for each in late:
            self._append(each)

    def records(self, topic: str) -> list[InboundRecord]:
        return [record for partition in self.topics[topic] for record in partition]

    def poll(self, group: str, topic: str, limit: int = 500) -> list[InboundRecord]:
        """What the group has not read yet; the same again until it commits."""
        committed = self.commits[group, topic]
        unread = [record for n, part in enumerate(self.topics[topic]) for record in part[committed.get(n, 0) :]]
        return unread[:limit]

    def commit(self, group: str, topic: str, read: Sequence[InboundRecord]) -> None:
        committed = self.commits[group, topic]
        for each in read:
            committed[each.partition] = max(committed.get(each.partition, 0), each.offset + 1)

    def rewind(self, group: str, topic: str, partition: int, offset: int) -> None:
        """The group lost a commit: it will be handed these records again."""
        self.commits[group, topic][partition] = offset


class MemoryOffsets:
    """Implements :class:`nofy.ports.bus.Offsets` over a :class:`MemoryBus`."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.down = False

    def committed(self, group: str, topic: str) -> dict[int, int]:
        if self.down:
            raise BusUnavailableError("the broker does not answer")
        return dict(self._bus.commits[group, topic])

    def ends(self, topic: str) -> dict[int, int] | None:
        if self.down:
            raise BusUnavailableError("the broker does not answer")
        return {number: len(part) for number, part in enumerate(self._bus.topics[topic])}
