"""The dispatcher: started each minute, it moves due work from Redis to Kafka until a newer run takes over."""

from __future__ import annotations

import time
from typing import Any

from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresDispatches
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.timing import DISPATCHER_RUN, DISPATCHER_SLEEP, DISPATCHER_TIMEOUT
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.dispatch import Dispatcher
from nofy.runtime import clock, settings
from nofy.runtime.events import ends_at
from nofy.runtime.observability import count, logger, observed

configured = settings.load(settings.DispatcherSettings)
offsets = KafkaOffsets(configured.kafka_bootstrap) if configured.kafka_reports_lag else UnreportedOffsets()
dispatcher = Dispatcher(
    store=PostgresDispatches(Database(configured.postgres_dsn, application="nofy-dispatcher")),
    # A blocking wait needs a socket time-out above it.
    schedule=RedisSchedule(configured.redis_url, timeout=DISPATCHER_SLEEP + 2),
    bus=KafkaBus(configured.kafka_bootstrap),
    credit=LaneCredit(offsets, clock.now),
    clock=clock.now,
    pause=time.sleep,
)


@observed
def handler(_: dict[str, Any], context: Any) -> dict[str, int]:
    ends = ends_at(context, margin_seconds=DISPATCHER_TIMEOUT - DISPATCHER_RUN)
    done = dispatcher.run(context.aws_request_id, ends)
    counts = count(done, function="dispatcher")
    logger.info("run ended", extra=counts)
    return counts
