"""The route of the overview's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.queries.statistics import statistics
from nofy.runtime.api.application import Application, Ports, answer
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.models import StatisticsQuery
from nofy.runtime.api.requests import read
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

    from nofy.domain.notification import Principal


def register(app: Application, ports: Ports) -> None:
    """Add the route to a resolver."""
    routes = Routes(app, ports.edge, Function.PRODUCER)

    @routes.of_project("getStatistics")
    def show(principal: Principal) -> Response[str]:
        asked = read(StatisticsQuery, app.current_event.query_string_parameters or {}, "?")
        return answer(200, statistics(ports.reading.statistics(principal, asked.range), asked.range))
