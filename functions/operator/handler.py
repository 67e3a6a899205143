"""The operator's commands: the first project, its tokens, its integrations. Reachable by IAM alone, by no route.

Credentials arrive sealed: the operator's own machine asked KMS, because nothing in the VPC can.
"""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.runtime import clock, connections, settings
from nofy.runtime.observability import logger, observed
from nofy.runtime.operator import perform

configured = settings.load(settings.DatabaseSettings)
administration = PostgresAdministration(connections.database(configured, "nofy-operator"))


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    answer = perform(event, administration, clock.new_id)
    logger.info("performed", extra={"command": event["command"]})
    return answer
