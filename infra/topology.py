"""Who consumes which topic, how, and where a batch goes that keeps failing.

Derived from :mod:`nofy.domain.routing`, so that a new channel has its consumers without a line here. Stage
``local`` publishes it to the Kafka-to-Lambda bridge, the others make event source mappings of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from infra import functions
from nofy.domain import routing
from nofy.pipeline import target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.settings import Batch, Settings

UNLIMITED = -1

# A batch that crashed its consumer four times is a bug's doing or a poison record's, and its partition waits
# meanwhile. Attempts it had leased are healed by the reconciler, whichever way the batch ends.
DELIVERY_RETRIES = 3


class OnFailure(StrEnum):
    """Where a batch goes when its retries are spent."""

    TOPIC = "topic"  # nofy.esm-failures.v1, which the dlq function reads
    BUCKET = "bucket"  # S3: for what feeds the dlq function itself, which a topic would only bring back
    NOWHERE = "nowhere"  # never given up on


@dataclass(frozen=True, slots=True)
class Topic:
    """``max_message_bytes`` None leaves it to the broker (1 MB; a rendered delivery is at most 256 KB)."""

    name: str
    partitions: int
    max_message_bytes: int | None = None


# A record nobody could read travels to the dlq as base64, a third larger than it was.
LARGE_MESSAGE_BYTES = 2 * 1024 * 1024


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic of a stage, with the partitions its one event source reads."""
    large = {routing.DLQ_TOPIC, routing.ESM_FAILURES_TOPIC}
    return tuple(
        Topic(source.topic, source.partitions, LARGE_MESSAGE_BYTES if source.topic in large else None)
        for source in event_sources(settings)
    )


@dataclass(frozen=True, slots=True)
class EventSource:
    """One topic read by one consumer group on behalf of one function.

    ``function`` is the name in the function table, ``retry_attempts`` counts what follows the first try.
    """

    topic: str
    group: str
    function: str
    partitions: int
    batch: Batch
    on_failure: OnFailure
    retry_attempts: int


def event_sources(settings: Settings) -> tuple[EventSource, ...]:
    """Every event source of a stage; each topic has exactly one."""
    return (*_deliveries(settings), _acks(settings), *_dead_letters(settings))


def _deliveries(settings: Settings) -> Iterator[EventSource]:
    batches = {
        routing.Priority.HIGH: settings.batches.high,
        routing.Priority.NORMAL: settings.batches.normal,
        routing.Priority.LOW: settings.batches.low,
    }
    for lane in routing.LANES:
        yield EventSource(
            topic=lane.topic,
            group=lane.group,
            function=functions.CONSUMER.name,
            partitions=settings.partitions.deliveries,
            batch=batches[lane.priority],
            on_failure=OnFailure.TOPIC,
            retry_attempts=DELIVERY_RETRIES,
        )


def target_lag(settings: Settings) -> dict[str, int]:
    """Records that each lane may have unread, by its name: what its own event source is busy with, and no more."""
    sources = {source.topic: source for source in _deliveries(settings)}
    of_lane = ((lane, sources[lane.topic]) for lane in routing.LANES)
    return {lane.name: target.target_lag(source.partitions, source.batch.size) for lane, source in of_lane}


def _acks(settings: Settings) -> EventSource:
    """An ack is the only record of what a provider said, so it waits for as long as PostgreSQL is away."""
    return EventSource(
        topic=routing.ACKS_TOPIC,
        group=routing.ACKS_GROUP,
        function=functions.ACKS.name,
        partitions=settings.partitions.acks,
        batch=settings.batches.acks,
        on_failure=OnFailure.NOWHERE,
        retry_attempts=UNLIMITED,
    )


def _dead_letters(settings: Settings) -> Iterator[EventSource]:
    """Ten tries: Lambda's own bound for a mapping with a destination where it takes none of ours."""
    groups = {routing.DLQ_TOPIC: routing.DLQ_GROUP, routing.ESM_FAILURES_TOPIC: routing.ESM_FAILURES_GROUP}
    for topic, group in groups.items():
        yield EventSource(
            topic=topic,
            group=group,
            function=functions.DLQ.name,
            partitions=settings.partitions.dead_letters,
            batch=settings.batches.dead_letters,
            on_failure=OnFailure.BUCKET,
            retry_attempts=10,
        )
