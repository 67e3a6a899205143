"""The migrator: brings the schema to this release. The deploy runs it before anything else starts."""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.migrate import migrate
from nofy.runtime import connections, settings
from nofy.runtime.observability import logger, observed

configured = settings.load(settings.DatabaseSettings)
database = connections.database(configured, "nofy-migrate")


@observed
def handler(_: dict[str, Any], __: Any) -> dict[str, list[str]]:
    applied = migrate(database)
    logger.info("migrated", extra={"applied": applied})
    return {"applied": applied}
