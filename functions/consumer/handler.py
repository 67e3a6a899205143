"""The consumer: a batch of delivery records in, attempts leased, senders invoked, outcomes told to Kafka."""

from __future__ import annotations

from typing import Any

from nofy.adapters.aws.invoke import LambdaSender
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresLeases
from nofy.domain.timing import CONSUMER_MARGIN
from nofy.pipeline.deliver import Consumer
from nofy.runtime import clock, settings
from nofy.runtime.events import ends_at, kafka_records
from nofy.runtime.observability import count, logger, observed

configured = settings.load(settings.ConsumerSettings)
consumer = Consumer(
    store=PostgresLeases(Database(configured.postgres_dsn, application="nofy-consumer")),
    sender=LambdaSender(configured.sender_functions),
    bus=KafkaBus(configured.kafka_bootstrap),
    clock=clock.now,
    random=clock.uniform,
)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    delivered = consumer.deliver(kafka_records(event), ends_at(context, CONSUMER_MARGIN))
    logger.info("batch delivered", extra=count(delivered, function="consumer"))
    return {"batchItemFailures": []}
