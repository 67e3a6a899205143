"""The routes of API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain.ids import Prefix
from nofy.queries import accounts
from nofy.runtime.api.application import Application, body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.console import Console, identified
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response


def register(routes: Routes, app: Application, console: Console) -> None:
    """Add the routes to a resolver."""

    @routes.of_project("listTokens")
    def index(principal: Principal) -> Response:
        return answer(200, {"tokens": [accounts.token(each) for each in console.tokens.of(principal.project_id)]})

    @routes.of_project("createToken")
    def create(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import TokenRequest

        asked = read(TokenRequest, parse_json(body_of(app)))
        token, secret = console.tokens.create(principal, asked.wanted(), console.occasion(principal.actor))
        return answer(201, accounts.token(token) | {"token": secret})

    @routes.of_project("revokeToken")
    def revoke(principal: Principal, token_id: str) -> Response:
        which = identified(Prefix.KEY, token_id)
        console.tokens.revoke(principal.project_id, which, console.occasion(principal.actor))
        return answer(200, accounts.removed(Prefix.KEY, which))
