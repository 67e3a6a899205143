"""The consumer: a batch of delivery records in, leased, slots reserved, senders invoked, outcomes told to Kafka."""

from __future__ import annotations

from typing import Any

from nofy.adapters.aws.invoke import LambdaSender
from nofy.adapters.postgres.pipeline import PostgresLeases
from nofy.domain.timing import CONSUMER_MARGIN
from nofy.pipeline.deliver import Consumer
from nofy.runtime import clock, connections, settings
from nofy.runtime.events import ends_at, kafka_records
from nofy.runtime.observability import count, count_by, logger, measure, observed

REDIS_TIMEOUT = 0.25  # seconds: without it everybody goes, and a batch must not wait long to learn that

configured = settings.load(settings.ConsumerSettings)
consumer = Consumer(
    store=PostgresLeases(connections.database(configured, "nofy-consumer")),
    limiter=connections.limiter(configured, REDIS_TIMEOUT),
    sender=LambdaSender(configured.sender_functions),
    bus=connections.bus(configured),
    clock=clock.now,
    random=clock.uniform,
)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    delivered = consumer.deliver(kafka_records(event), ends_at(context, CONSUMER_MARGIN))
    logger.info("batch delivered", extra=count(delivered, function="consumer"))
    measure("lateness_ms", delivered.lateness_ms, function="consumer")
    count_by("channel", delivered.attempts, always=["attempts_failed"], function="consumer")
    return {"batchItemFailures": []}
