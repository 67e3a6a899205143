"""The route by which a person's data is erased."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from nofy.administration.recipients import erase
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.ports.accounts import Belongings
    from nofy.runtime.api.application import Application
    from nofy.runtime.api.console import Console
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response


def register(routes: Routes, app: Application, console: Console, belongings: Belongings) -> None:
    """Add the route to a resolver."""

    @routes.of_project("eraseRecipient")
    def erase_recipient(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import ErasureQuery

        asked = read(ErasureQuery, app.query, "?")
        done = erase(principal.project_id, asked.address, console.occasion(principal.actor), belongings)
        return answer(200, {"erased": asdict(done.erased), "remains": list(done.remains)})
