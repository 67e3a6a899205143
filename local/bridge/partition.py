"""One partition of one source, from its consumer to its commits, through broker restarts.

The partition is assigned, never subscribed to: there is one bridge, so a group protocol would only add its joining
time, and Tansu needs seconds for it. Offsets are still kept under the group's id, where the functions look for them.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from local.bridge.event import Record, cut
from local.bridge.invocation import Invoker
from local.bridge.settling import Settling, pause_before

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from local.bridge.source import EventSource

POLL_MS = 1000
LARGEST_FETCH_BYTES = 8 * 1024 * 1024

log = logging.getLogger("bridge")


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The bridge is being stopped; whatever is not settled will be seen again."""


class PartitionReader:
    """Polls, settles, commits; starts over from the last commit whenever Kafka fails it."""

    def __init__(
        self,
        source: EventSource,
        number: int,
        *,
        bootstrap: str,
        fetch_wait_ms: int,
        client: Any,
        stopping: threading.Event,
        on_ready: Callable[[], None],
    ) -> None:
        self.name = f"{source.topic}-{number}"
        self._source = source
        self._assigned = TopicPartition(source.topic, number)
        self._bootstrap = bootstrap
        self._fetch_wait_ms = fetch_wait_ms
        self._stopping = stopping
        self._on_ready = on_ready
        self._settling = Settling(source, bootstrap, self)
        self._consumer: Any = None
        self._failures = 0
        self.invoke = Invoker(client, source.function, self.pause, self.note).invoke

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except Stopped:
                return
            except KafkaError as error:
                self._failures += 1
                self.note(f"Kafka: {error!r}; starting over")
                self._stopping.wait(pause_before(self._failures))
            finally:
                self._close()

    def _read(self) -> None:
        self._consumer = self._connect()
        self._consumer.position(self._assigned)
        self._on_ready()
        while not self._stopping.is_set():
            for batch in cut(self._gather(), self._bootstrap):
                self._settling.settle(batch)
            self._failures = 0

    def _connect(self) -> Any:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._source.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            # Half a minute by default: too long for somebody who restarts a broker and watches.
            reconnect_backoff_max_ms=1000,
            fetch_max_wait_ms=self._fetch_wait_ms,
            max_poll_records=self._source.batch_size,
            max_partition_fetch_bytes=LARGEST_FETCH_BYTES,
            metrics_enabled=False,
        )
        consumer.assign([self._assigned])
        return consumer

    def _gather(self) -> Sequence[Record]:
        """Up to a batch of records: at once what is there, then, if the source has a window, until it closes."""
        records = self._poll(POLL_MS, self._source.batch_size)
        closes = time.monotonic() + self._source.window_ms / 1000
        while records and len(records) < self._source.batch_size and time.monotonic() < closes:
            left = max(1, int((closes - time.monotonic()) * 1000))
            records += self._poll(left, self._source.batch_size - len(records))
        return records

    def _poll(self, milliseconds: int, most: int) -> list[Record]:
        polled = self._consumer.poll(timeout_ms=milliseconds, max_records=most)
        return [_record(fetched) for batch in polled.values() for fetched in batch]

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(timeout_ms=1000)

    def commit(self, offset: int) -> None:
        self._consumer.commit({self._assigned: OffsetAndMetadata(offset, "", -1)})

    def publish(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Failures are rare: a producer for each costs less than one that is kept connected."""
        producer = KafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            max_request_size=4 * 1024 * 1024,
            metrics_enabled=False,
        )
        try:
            producer.send(topic, key=key, value=value).get(timeout=30)
        finally:
            producer.close(timeout=5)

    def pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped

    def note(self, message: str) -> None:
        log.warning("%s: %s", self.name, message)


def _record(fetched: Any) -> Record:
    return Record(
        topic=fetched.topic,
        partition=fetched.partition,
        offset=fetched.offset,
        timestamp=fetched.timestamp,
        key=fetched.key,
        value=fetched.value,
        headers=tuple(fetched.headers),
    )
