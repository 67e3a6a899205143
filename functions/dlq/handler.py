"""The dlq handler: what ended in failure, and what nobody could read, into the dead letters."""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.pipeline import PostgresBurials
from nofy.pipeline.bury import bury
from nofy.runtime import clock, connections, settings
from nofy.runtime.events import kafka_records
from nofy.runtime.observability import count, logger, observed

configured = settings.load(settings.DatabaseSettings)
burials = PostgresBurials(connections.database(configured, "nofy-dlq"), clock.new_id)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    buried = bury(kafka_records(event), burials)
    logger.info("dead letters stored", extra=count(buried, function="dlq"))
    return {"batchItemFailures": []}
