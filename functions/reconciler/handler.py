"""The reconciler: each minute it finds what a crash left behind."""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.pipeline import PostgresBurials
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.pipeline.reconcile import Reconciler
from nofy.runtime import clock, connections, settings
from nofy.runtime.observability import count, logger, observed

REDIS_TIMEOUT = 5.0
# Read by alarms, which must be able to tell "none" from "nobody looked".
ALARMED = ("lost", "oldest_queued_seconds", "held_integrations")

configured = settings.load(settings.DispatcherSettings)
database = connections.database(configured, "nofy-reconciler")
reconciler = Reconciler(
    store=PostgresUpkeep(database),
    burials=PostgresBurials(database, clock.new_id),
    schedule=connections.schedule(configured, REDIS_TIMEOUT),
    bus=connections.bus(configured),
    offsets=connections.offsets(configured),
    clock=clock.now,
    random=clock.uniform,
)


class SweepFailedError(Exception):
    """Some steps of a sweep failed; the others were taken, and the next sweep tries all of them again."""


@observed
def handler(_: dict[str, Any], __: Any) -> dict[str, int]:
    done = reconciler.sweep()
    counts = count(done, always=ALARMED, function="reconciler")
    logger.info("sweep ended", extra=counts)
    if done.failed_steps:
        raise SweepFailedError(", ".join(done.failed_steps))
    return counts
