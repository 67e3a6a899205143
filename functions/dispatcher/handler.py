"""The dispatcher: started each minute, it moves due work from Redis to Kafka until a newer run takes over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.pipeline import PostgresDispatches
from nofy.domain.timing import DISPATCHER_RUN, DISPATCHER_SLEEP, DISPATCHER_TIMEOUT
from nofy.pipeline.credit import LaneCredit
from nofy.pipeline.dispatch import Dispatcher
from nofy.runtime import clock, connections, settings
from nofy.runtime.events import ends_at
from nofy.runtime.observability import count, count_by, logger, observed

if TYPE_CHECKING:
    from nofy.pipeline.lag import Lagging


def tell(lagging: Lagging) -> None:
    count_by("lane", lagging.lanes, function="dispatcher")
    count_by("project", lagging.projects, function="dispatcher")


configured = settings.load(settings.DispatcherSettings)
offsets = connections.offsets(configured)
dispatcher = Dispatcher(
    store=PostgresDispatches(connections.database(configured, "nofy-dispatcher")),
    # A blocking wait needs a socket time-out above it.
    schedule=connections.schedule(configured, DISPATCHER_SLEEP + 2),
    bus=connections.bus(configured),
    credit=LaneCredit(offsets, clock.now, configured.target_lag),
    clock=clock.now,
    pause=time.sleep,
    tell=tell,
)


@observed
def handler(_: dict[str, Any], context: Any) -> dict[str, int]:
    ends = ends_at(context, margin_seconds=DISPATCHER_TIMEOUT - DISPATCHER_RUN)
    done = dispatcher.run(context.aws_request_id, ends)
    counts = count(done, function="dispatcher")
    logger.info("run ended", extra=counts)
    return counts
