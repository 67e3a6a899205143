"""Every route of the console on one resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.runtime.api import api_tokens, audit, integrations, members, projects, recipients
from nofy.runtime.api.console import Console
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from nofy.runtime.api.application import Application
    from nofy.runtime.api.console import ConsolePorts


def register(app: Application, ports: ConsolePorts) -> None:
    """Add the routes to a resolver."""
    routes, console = Routes(app, ports.edge, Function.CONSOLE), Console(app, ports)
    projects.register(routes, app, console)
    members.register(routes, app, console, ports)
    api_tokens.register(routes, app, console)
    integrations.register(routes, app, console)
    audit.register(routes, app, ports.belongings)
    recipients.register(routes, app, console, ports.belongings)
