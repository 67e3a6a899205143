"""Work after accept is batched: how many times the pipeline crosses the network for a thousand deliveries.

Counted, not timed: PostgreSQL's trips (BEGIN, COMMIT and the steps of connecting among them, where they are trips of
their own), Redis' pipelines, Kafka's produce and offset requests. What the event source fetches is Lambda's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer, TopicPartition
from redis import Redis

from local.kafka_broker import create_topics
from local.topics import local_topics
from nofy.adapters.kafka.offsets import KafkaOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.adapters.redis.limiter import RedisLimiter
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.records import InboundRecord, OutboundRecord
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC, Channel, Lane, Priority
from nofy.pipeline.accept import accept
from nofy.pipeline.acknowledge import Acknowledger
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.deliver import Consumer
from nofy.pipeline.dispatch import Dispatched, Dispatcher
from nofy.runtime import clock
from tests.fakes import FakeSender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.stores import PostgresBackend

THOUSAND = 1_000
BATCH = 500
MOST = 40
LANE = Lane(Channel.SLACK, Priority.NORMAL)


class CountedBus(KafkaBus):
    """Counts the requests that its producer sends, once it is connected and has its sequence."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        assert None not in self.publish([OutboundRecord(DLQ_TOPIC, b"warm", b"{}")])
        self.trips = 0
        client = self._connected()._sender._client
        send = client.send

        def counted(*arguments: object, **more: object) -> object:
            self.trips += 1
            return send(*arguments, **more)

        client.send = counted


@pytest.fixture(scope="module")
def topics(kafka_bootstrap: str) -> str:
    create_topics(kafka_bootstrap, local_topics())
    return kafka_bootstrap


def records(bootstrap: str, topic: str, wanted: int) -> list[InboundRecord]:
    """Everything on a topic, as the event source would hand it over."""
    reader = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    reader.assign([TopicPartition(topic, each) for each in reader.partitions_for_topic(topic)])
    found: list[InboundRecord] = []
    while len(found) < wanted:
        for some in reader.poll(timeout_ms=1_000).values():
            found += [InboundRecord(r.topic, r.partition, r.offset, r.key, r.value, r.timestamp) for r in some]
    reader.close()
    return found


def batches(found: list[InboundRecord]) -> Iterator[list[InboundRecord]]:
    return (found[start : start + BATCH] for start in range(0, len(found), BATCH))


def test_a_thousand_deliveries_of_a_busy_lane_cross_the_network_at_most_forty_times(
    postgres: PostgresBackend, redis_url: str, topics: str
):
    project = postgres.project()
    # Its limiter is asked, and lets all of a thousand to one channel through.
    limits = '{"limits": {"integration": {"per_second": 1000, "burst": 1000}, "destination": null}}'
    postgres.superuser.run("UPDATE integrations SET settings = settings || %(limits)s", {"limits": limits})
    with Redis.from_url(redis_url) as emptied:
        emptied.flushall()  # what an earlier test left in the lane would be claimed, and counted, with ours
    schedule = RedisSchedule(redis_url, timeout=5)
    for _ in range(THOUSAND // 100):
        planned = [project.plan(Channel.SLACK) for _ in range(100)]
        accept(project.principal, planned, None, store=postgres.acceptances, schedule=schedule, clock=clock.now)
    schedule.trips = 0

    dispatching, leasing, acknowledging = (postgres.connection("nofy_pipeline") for _ in range(3))
    bus, answering = CountedBus(topics), CountedBus(topics)
    dispatcher = Dispatcher(
        store=PostgresDispatches(dispatching),
        schedule=schedule,
        bus=bus,
        credit=LaneCredit(KafkaOffsets(topics), clock.now),
        clock=clock.now,
        pause=lambda _: None,
    )
    done = Dispatched()
    while done.queued < THOUSAND:
        dispatcher._turn("run", done)

    sender, limiter = FakeSender(), RedisLimiter(redis_url, timeout=5)
    consumer = Consumer(PostgresLeases(leasing), limiter, sender, answering, clock.now, clock.uniform)
    until = clock.now() + timedelta(minutes=3)
    for batch in batches(records(topics, LANE.topic, THOUSAND)):
        assert consumer.deliver(batch, until).leased == BATCH

    acks = Acknowledger(
        PostgresOutcomes(acknowledging), PostgresBurials(acknowledging, clock.new_id), schedule, clock.now
    )
    for batch in batches(records(topics, ACKS_TOPIC, THOUSAND)):
        acks.acknowledge(batch)

    assert len(sender.ledger) == THOUSAND
    assert postgres.superuser.run("SELECT status, count(*) FROM deliveries GROUP BY 1") == [("sent", THOUSAND)]
    trips = {
        "postgres": dispatching.trips + leasing.trips + acknowledging.trips,
        "redis": schedule.trips + limiter.trips,
        "kafka": bus.trips + answering.trips,
    }
    assert sum(trips.values()) <= MOST, trips
    for each in (bus, answering, schedule, limiter, dispatching, leasing, acknowledging):
        each.close()
