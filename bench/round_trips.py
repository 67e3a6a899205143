"""How many times the pipeline crosses the network after accept: counted, not timed.

PostgreSQL's trips (BEGIN, COMMIT and the steps of connecting among them, where they are trips of their own), Redis'
pipelines, Kafka's produce and offset requests. What the event source fetches is Lambda's.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from nofy.adapters.kafka.offsets import KafkaOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.redis.limiter import RedisLimiter
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.records import InboundRecord, OutboundRecord
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC, Lane
from nofy.pipeline.acknowledge import Acknowledger
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.deliver import Consumer
from nofy.pipeline.dispatch import Dispatched, Dispatcher
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.spec import Addresses
    from nofy.ports.sender import Sender

BATCH = 500


class CountedBus(KafkaBus):
    """Counts the requests that its producer sends, once it is connected and has its sequence."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        assert None not in self.publish([OutboundRecord(DLQ_TOPIC, b"warm", b"{}")])
        self.trips = 0
        client = self._connected()._sender._client  # noqa: SLF001  # (kafka-python counts nothing of it by itself)
        send = client.send

        def counted(*arguments: object, **more: object) -> object:
            self.trips += 1
            return send(*arguments, **more)

        client.send = counted


class CountedOffsets(KafkaOffsets):
    """One request for where a group is, one for where a topic ends."""

    trips = 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        self.trips += 1
        return super().committed(group, topic)

    def ends(self, topic: str) -> dict[int, int] | None:
        self.trips += 2  # which partitions there are, and where they end
        return super().ends(topic)


def counted(at: Addresses, lane: Lane, sender: Sender, deliveries: int) -> dict[str, int]:
    """Trips by server, for so many accepted deliveries that wait in one lane of an otherwise quiet system."""
    with ExitStack() as stack:

        def closing(part: Any) -> Any:
            stack.callback(part.close)
            return part

        _caught_up(at.kafka, lane)
        dispatching, leasing, acknowledging = (
            closing(Database(at.postgres_pipeline, application=f"trips-{each}")) for each in range(3)
        )
        for each in (dispatching, leasing, acknowledging):  # connected for long
            each.run("SELECT 1")
            each.trips = 0
        schedule = closing(RedisSchedule(at.redis, timeout=5))
        limiter = closing(RedisLimiter(at.redis, timeout=5))
        bus, answering = closing(CountedBus(at.kafka)), closing(CountedBus(at.kafka))
        offsets = closing(CountedOffsets(at.kafka))

        before = _ends(at.kafka, ACKS_TOPIC), _ends(at.kafka, lane.topic)
        credit = LaneCredit(offsets, clock.now)
        dispatcher = Dispatcher(PostgresDispatches(dispatching), schedule, bus, credit, clock.now, lambda _: None)
        done = Dispatched()
        while done.queued < deliveries:
            dispatcher._turn("run", done)  # noqa: SLF001  # (a run would go on, and sleep)

        consumer = Consumer(PostgresLeases(leasing), limiter, sender, answering, clock.now, clock.uniform)
        until = clock.now() + timedelta(minutes=3)
        for batch in _batches(_records(at.kafka, before[1], deliveries)):
            leased = consumer.deliver(batch, until).leased
            assert leased == len(batch), f"{leased} of {len(batch)} were leased"

        burials = PostgresBurials(acknowledging, clock.new_id)
        acks = Acknowledger(PostgresOutcomes(acknowledging), burials, schedule, clock.now)
        for batch in _batches(_records(at.kafka, before[0], deliveries)):
            acks.acknowledge(batch)
        return {
            "postgres": dispatching.trips + leasing.trips + acknowledging.trips,
            "redis": schedule.trips + limiter.trips,
            "kafka": bus.trips + answering.trips + offsets.trips,
        }


def _caught_up(bootstrap: str, lane: Lane) -> None:
    """The lane's consumers have read whatever is there, as those of a quiet system have."""
    reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id=lane.group, enable_auto_commit=False)
    reader.commit({where: OffsetAndMetadata(end, "", -1) for where, end in _ends(bootstrap, lane.topic).items()})
    reader.close()


def _ends(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    reader = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    ends: dict[TopicPartition, int] = reader.end_offsets(
        [TopicPartition(topic, each) for each in reader.partitions_for_topic(topic)]
    )
    reader.close()
    return ends


def _records(bootstrap: str, since: dict[TopicPartition, int], wanted: int) -> list[InboundRecord]:
    """What was produced since then, as the event source would hand it over."""
    reader = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    reader.assign(list(since))
    for where, offset in since.items():
        reader.seek(where, offset)
    found: list[InboundRecord] = []
    while len(found) < wanted:
        for some in reader.poll(timeout_ms=1_000).values():
            found += [InboundRecord(r.topic, r.partition, r.offset, r.key, r.value, r.timestamp) for r in some]
    reader.close()
    return found


def _batches(found: list[InboundRecord]) -> Iterator[list[InboundRecord]]:
    return (found[start : start + BATCH] for start in range(0, len(found), BATCH))
