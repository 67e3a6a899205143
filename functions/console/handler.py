"""The console: people, and what their projects have. It has no way out to the internet, and reads no credential."""

from __future__ import annotations

import secrets
from typing import Any

from nofy.adapters.aws.vault_invoke import LambdaVault
from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.accounts import PostgresBelongings, PostgresMemberships, PostgresPeople
from nofy.runtime import clock, connections, settings
from nofy.runtime.api import console_routes
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.application import Application
from nofy.runtime.api.console import ConsolePorts
from nofy.runtime.api.edge import Edge
from nofy.runtime.api.invitation_mail import InvitationMail
from nofy.runtime.api.routes import Function
from nofy.runtime.initialization import load_ahead
from nofy.runtime.observability import observed

# A person waits for this: Redis gets a quarter of a second and no second chance.
REDIS_TIMEOUT = 0.25

configured = settings.load(settings.ConsoleSettings)
database = connections.database(configured, "nofy-console")
store = PostgresAcceptances(database)
schedule = connections.schedule(configured, REDIS_TIMEOUT)
admission = Admission(connections.quotas(configured, REDIS_TIMEOUT), clock.now, Function.CONSOLE)
ports = ConsolePorts(
    edge=Edge(store, PostgresMemberships(database), connections.console_tokens(configured), admission, clock.now),
    admission=admission,
    people=PostgresPeople(database),
    belongings=PostgresBelongings(database),
    sealer=LambdaVault(configured.vault_function),
    mail=InvitationMail(store, schedule, admission, clock.now, clock.new_id.born_at),
    url=configured.console_url,
    choose=secrets.choice,
    clock=clock.now,
    new_id=clock.new_id,
)
app = Application(configured.cors_origins)
console_routes.register(app, ports)
load_ahead(*connections.drivers(configured), *connections.VERIFYING)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
