"""The producer: a notification in over HTTPS, a promise out.

It imports neither boto3 nor kafka: a cold start on the path of somebody's request loads what that path uses.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response  # noqa: TC002  # the resolver reads the annotations

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.amendments import PostgresAmendments
from nofy.adapters.postgres.reading import PostgresReading
from nofy.pipeline.amend import Amender
from nofy.runtime import clock, connections, settings
from nofy.runtime.api import dead_letters, notifications
from nofy.runtime.api.application import Ports, answer, application
from nofy.runtime.observability import observed

# A caller waits for this: Redis gets a quarter of a second and no second chance.
REDIS_TIMEOUT = 0.25

configured = settings.load(settings.ProducerSettings)
database = connections.database(configured, "nofy-producer")
reading = PostgresReading(database)
schedule = connections.schedule(configured, REDIS_TIMEOUT)
ports = Ports(
    store=PostgresAcceptances(database),
    reading=reading,
    schedule=schedule,
    amender=Amender(PostgresAmendments(database), reading, schedule, clock.now),
    clock=clock.now,
    new_id=clock.new_id,
)
app = application()
notifications.register(app, ports)
dead_letters.register(app, ports)


@app.get("/v1/openapi.json")
def describe() -> Response[str]:
    from nofy.runtime.api.openapi import document

    return answer(200, document())


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
