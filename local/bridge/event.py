"""Records as Lambda hands them to a function: the event of an MSK event source, cut at Lambda's payload limit."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.environment import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Lambda refuses a synchronous invoke above this; event source mappings cut their batches accordingly.
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
CLUSTER_ARN = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/nofy-local/00000000-0000-4000-8000-000000000000-1"


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record; ``timestamp`` in milliseconds since 1970, ``key`` and ``value`` None where Kafka has none."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    def as_msk(self) -> dict[str, Any]:
        """Key and value are base64; a header's value is a list of *signed* bytes, as Java has them."""
        encoded = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "timestampType": "CREATE_TIME",
            "headers": [{name: [_signed(byte) for byte in value]} for name, value in self.headers],
        }
        for name, content in (("key", self.key), ("value", self.value)):
            if content is not None:
                encoded[name] = base64.b64encode(content).decode()
        return encoded


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, at least one, with the payload they make."""

    records: tuple[Record, ...]
    payload: bytes

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def next_offset(self) -> int:
        """What the group commits once the whole batch is done."""
        return self.records[-1].offset + 1

    @property
    def fits(self) -> bool:
        """False only for a single record that Lambda would refuse however it is cut."""
        return len(self.payload) <= PAYLOAD_LIMIT_BYTES


def event(records: Sequence[Record], bootstrap: str) -> dict[str, Any]:
    first = records[0]
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": CLUSTER_ARN,
        "bootstrapServers": bootstrap,
        "records": {f"{first.topic}-{first.partition}": [record.as_msk() for record in records]},
    }


def cut(records: Sequence[Record], bootstrap: str, limit: int = PAYLOAD_LIMIT_BYTES) -> Iterator[Batch]:
    """Batches in order whose payloads stay within the limit, each as long as it can be; none of no records."""
    if not records:
        return
    envelope = len(_encode(event(records, bootstrap))) - sum(_size(record) for record in records)
    gathered: list[Record] = []
    size = envelope
    for record in records:
        if gathered and size + _size(record) > limit:
            yield make_batch(gathered, bootstrap)
            gathered, size = [], envelope
        gathered.append(record)
        size += _size(record)
    yield make_batch(gathered, bootstrap)


def make_batch(records: Sequence[Record], bootstrap: str) -> Batch:
    return Batch(tuple(records), _encode(event(records, bootstrap)))


def halves(batch: Batch, bootstrap: str) -> tuple[Batch, Batch]:
    """The batch in two, the first no longer than the second."""
    middle = len(batch.records) // 2
    return make_batch(batch.records[:middle], bootstrap), make_batch(batch.records[middle:], bootstrap)


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _size(record: Record) -> int:
    """Of the encoded record with the comma that follows it; the last one's comma is one byte of slack."""
    return len(_encode(record.as_msk())) + 1


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
