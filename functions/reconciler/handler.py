"""The reconciler: each minute it finds what a crash left behind."""

from __future__ import annotations

from typing import Any

from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets
from nofy.adapters.kafka.producer import KafkaBus
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresBurials
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.pipeline.reconcile import Reconciler
from nofy.runtime import clock, settings
from nofy.runtime.observability import count, logger, observed

REDIS_TIMEOUT = 5.0

configured = settings.load(settings.DispatcherSettings)
database = Database(configured.postgres_dsn, application="nofy-reconciler")
reconciler = Reconciler(
    store=PostgresUpkeep(database),
    burials=PostgresBurials(database, clock.new_id),
    schedule=RedisSchedule(configured.redis_url, timeout=REDIS_TIMEOUT),
    bus=KafkaBus(configured.kafka_bootstrap),
    offsets=KafkaOffsets(configured.kafka_bootstrap) if configured.kafka_reports_lag else UnreportedOffsets(),
    clock=clock.now,
    random=clock.uniform,
)


class SweepFailedError(Exception):
    """Some steps of a sweep failed; the others were taken, and the next sweep tries all of them again."""


@observed
def handler(_: dict[str, Any], __: Any) -> dict[str, int]:
    done = reconciler.sweep()
    counts = count(done, function="reconciler")
    logger.info("sweep ended", extra=counts)
    if done.failed_steps:
        raise SweepFailedError(", ".join(done.failed_steps))
    return counts
