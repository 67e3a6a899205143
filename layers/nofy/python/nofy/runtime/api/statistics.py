"""The route of the overview's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.queries.statistics import statistics
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.runtime.api.application import Application, Ports
    from nofy.runtime.api.responses import Response


def register(app: Application, ports: Ports) -> None:
    """Add the route to a resolver."""
    routes = Routes(app, ports.edge, Function.PRODUCER)

    @routes.of_project("getStatistics")
    def show(principal: Principal) -> Response:
        from nofy.runtime.api.models import StatisticsQuery

        asked = read(StatisticsQuery, app.query, "?")
        return answer(200, statistics(ports.reading.statistics(principal, asked.range), asked.range))
