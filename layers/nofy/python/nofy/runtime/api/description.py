"""The route of the API's own description, for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.runtime.api.edge import Routes
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from nofy.runtime.api.application import Application, Ports
    from nofy.runtime.api.responses import Response


def register(app: Application, ports: Ports) -> None:
    """Add the route to a resolver."""
    routes = Routes(app, ports.edge, Function.PRODUCER)

    @routes.public("describe")
    def describe() -> Response:
        from nofy.runtime.api.openapi import document

        return answer(200, document())
