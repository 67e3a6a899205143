"""The dlq handler: what ended in failure, and what nobody could read, into the dead letters."""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresBurials
from nofy.pipeline.bury import bury
from nofy.runtime import clock, settings
from nofy.runtime.events import kafka_records
from nofy.runtime.observability import logger, observed

configured = settings.load(settings.DatabaseSettings)
burials = PostgresBurials(Database(configured.postgres_dsn, application="nofy-dlq"), clock.new_id)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    letters = bury(kafka_records(event), burials)
    logger.info("dead letters stored", extra={"dead_letters": len(letters)})
    return {"batchItemFailures": []}
