"""The routes of integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from nofy.domain.errors import InvalidRequestError
from nofy.domain.ids import Prefix
from nofy.domain.integrations import settings_errors
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.queries import accounts
from nofy.runtime.api.application import Application, body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.console import Console, identified
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from nofy.domain.errors import FieldError
    from nofy.domain.notification import Principal
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response

Model = TypeVar("Model", bound="BaseModel")


def register(routes: Routes, app: Application, console: Console) -> None:
    """Add the routes to a resolver."""
    _register_reads(routes, console)

    @routes.of_project("createIntegration")
    def create(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import IntegrationRequest

        body = parse_json(body_of(app))
        new = _read(IntegrationRequest, body, _channel(body)).new()
        made = console.integrations.create(principal.project_id, new, console.occasion(principal.actor))
        return answer(201, accounts.integration(made))

    @routes.of_project("changeIntegration")
    def change(principal: Principal, integration_id: str) -> Response:
        from nofy.runtime.api.console_models import IntegrationPatch

        which = identified(Prefix.INTEGRATION, integration_id)
        before = console.integrations.show(principal.project_id, which)
        changed = _read(IntegrationPatch, parse_json(body_of(app)), before.channel).changed()
        occasion = console.occasion(principal.actor)
        return answer(
            200, accounts.integration(console.integrations.change(principal.project_id, which, changed, occasion))
        )

    @routes.of_project("removeIntegration")
    def remove(principal: Principal, integration_id: str) -> Response:
        which = identified(Prefix.INTEGRATION, integration_id)
        console.integrations.remove(principal.project_id, which, console.occasion(principal.actor))
        return answer(200, accounts.removed(Prefix.INTEGRATION, which))


def _register_reads(routes: Routes, console: Console) -> None:
    @routes.of_project("listIntegrations")
    def index(principal: Principal) -> Response:
        found = console.integrations.of(principal.project_id)
        return answer(200, {"integrations": [accounts.integration(each) for each in found]})

    @routes.of_project("getIntegration")
    def show(principal: Principal, integration_id: str) -> Response:
        which = identified(Prefix.INTEGRATION, integration_id)
        return answer(200, accounts.integration(console.integrations.show(principal.project_id, which)))


def _channel(body: Any) -> Channel | None:
    named = body.get("channel") if isinstance(body, dict) else None
    return Channel(named) if isinstance(named, str) and named in set(Channel) else None


def _read(kind: type[Model], body: Any, channel: Channel | None) -> Model:
    """The request; InvalidRequestError with every error of its fields and of its channel's settings at once."""
    wrong = _settings_errors(body, channel)
    try:
        asked = read(kind, body)
    except InvalidRequestError as error:
        raise InvalidRequestError([*error.errors, *wrong]) from error
    if wrong:
        raise InvalidRequestError(wrong)
    return asked


def _settings_errors(body: Any, channel: Channel | None) -> list[FieldError]:
    settings = body.get("settings") if isinstance(body, dict) else None
    if channel is None or not isinstance(settings, dict):
        return []
    return settings_errors(PROVIDER_OF[channel], settings)
