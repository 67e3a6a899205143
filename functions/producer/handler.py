"""The producer: a notification in over HTTPS, a promise out.

It imports neither boto3 nor kafka, nor what console tokens are verified with: a cold start on the path of somebody's
request loads what that path uses, and in Lambda it does so before the request comes.
"""

from __future__ import annotations

from typing import Any

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.accounts import PostgresMemberships
from nofy.adapters.postgres.amendments import PostgresAmendments
from nofy.adapters.postgres.audit import PostgresAudit
from nofy.adapters.postgres.reading import PostgresReading
from nofy.pipeline.amend import Amender
from nofy.runtime import clock, connections, settings
from nofy.runtime.api import dead_letters, description, notifications, statistics
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.application import Application, Ports
from nofy.runtime.api.auditing import Auditing
from nofy.runtime.api.edge import Edge
from nofy.runtime.api.routes import Function
from nofy.runtime.initialization import load_ahead
from nofy.runtime.observability import observed

# A caller waits for this: Redis gets a quarter of a second and no second chance.
REDIS_TIMEOUT = 0.25

configured = settings.load(settings.ProducerSettings)
database = connections.database(configured, "nofy-producer")
store = PostgresAcceptances(database)
reading = PostgresReading(database)
schedule = connections.schedule(configured, REDIS_TIMEOUT)
admission = Admission(connections.quotas(configured, REDIS_TIMEOUT), clock.now, Function.PRODUCER)
ports = Ports(
    edge=Edge(store, PostgresMemberships(database), connections.console_tokens(configured), admission, clock.now),
    admission=admission,
    auditing=Auditing(PostgresAudit(database), clock.now, clock.new_id),
    store=store,
    reading=reading,
    schedule=schedule,
    amender=Amender(PostgresAmendments(database), reading, schedule, clock.now),
    clock=clock.now,
    born_at=clock.new_id.born_at,
)
app = Application(configured.cors_origins)
for each in (notifications, dead_letters, statistics, description):
    each.register(app, ports)
load_ahead(*connections.drivers(configured), "nofy.runtime.api.models")


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
