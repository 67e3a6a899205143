"""The route by which a person's data is erased."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from nofy.administration.recipients import erase
from nofy.runtime.api.application import Application, answer
from nofy.runtime.api.console_models import ErasureQuery
from nofy.runtime.api.requests import read

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response

    from nofy.domain.notification import Principal
    from nofy.ports.accounts import Belongings
    from nofy.runtime.api.console import Console
    from nofy.runtime.api.edge import Routes


def register(routes: Routes, app: Application, console: Console, belongings: Belongings) -> None:
    """Add the route to a resolver."""

    @routes.of_project("eraseRecipient")
    def erase_recipient(principal: Principal) -> Response[str]:
        asked = read(ErasureQuery, app.current_event.query_string_parameters or {}, "?")
        done = erase(principal.project_id, asked.address, console.occasion(principal.actor), belongings)
        return answer(200, {"erased": asdict(done.erased), "remains": list(done.remains)})
