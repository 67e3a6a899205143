"""The acks handler: outcomes from Kafka into PostgreSQL, retries back into Redis. It is retried without limit."""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.pipeline import PostgresBurials, PostgresOutcomes
from nofy.pipeline.acknowledge import Acknowledger
from nofy.runtime import clock, connections, settings
from nofy.runtime.events import kafka_records
from nofy.runtime.observability import count, logger, observed

REDIS_TIMEOUT = 2.0

configured = settings.load(settings.AcksSettings)
database = connections.database(configured, "nofy-acks")
acknowledger = Acknowledger(
    store=PostgresOutcomes(database),
    burials=PostgresBurials(database, clock.new_id),
    schedule=connections.schedule(configured, REDIS_TIMEOUT),
    clock=clock.now,
)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    acknowledged = acknowledger.acknowledge(kafka_records(event))
    logger.info("batch acknowledged", extra=count(acknowledged, function="acks"))
    return {"batchItemFailures": []}
