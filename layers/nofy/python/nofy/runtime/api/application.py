"""The resolver every API function starts from: routing, error documents, the request's id."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from nofy.domain.errors import NofyError
from nofy.runtime.api.authentication import authenticate
from nofy.runtime.api.problems import document_of, of_error, problem
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError

    from nofy.domain.notification import Principal
    from nofy.pipeline.amend import Amender
    from nofy.ports.clock import Clock
    from nofy.ports.reading import Reading
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Acceptances


@dataclass(frozen=True, slots=True)
class Ports:
    """What the routes call."""

    store: Acceptances
    reading: Reading
    schedule: Schedule
    amender: Amender
    clock: Clock
    new_id: Callable[[], UUID]


def application() -> APIGatewayRestResolver:
    """A resolver on which every exception ends as a problem document."""
    app = APIGatewayRestResolver()

    @app.not_found
    def no_route(_: NoRouteError) -> Response[str]:
        return problem(document_of(404, "no_such_route", "There is no such route", request_id(app)))

    @app.exception_handler(NofyError)  # type: ignore[untyped-decorator]
    def on_purpose(error: NofyError) -> Response[str]:
        logger.info("refused", extra={"error": type(error).__name__, "detail": str(error)})
        return of_error(error, request_id(app))

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unforeseen(_: Exception) -> Response[str]:
        logger.exception("unforeseen error")
        return problem(document_of(500, "internal_error", "Something went wrong here", request_id(app)))

    return app


def request_id(app: APIGatewayRestResolver) -> str:
    """What a caller quotes when something went wrong, and what our log lines carry."""
    return str(getattr(app.lambda_context, "aws_request_id", "unknown"))


def caller(app: APIGatewayRestResolver, ports: Ports) -> Principal:
    """Who calls; UnauthenticatedError if that cannot be told."""
    return authenticate(app.current_event.headers.get("authorization"), ports.store)


def body_of(app: APIGatewayRestResolver) -> bytes:
    """The request's body as it was sent."""
    event = app.current_event
    text = event.body or ""
    # Powertools' own decoding takes for granted that bytes are text; whoever sent others gets a 400.
    return base64.b64decode(text) if event.is_base64_encoded else text.encode(errors="surrogatepass")


def answer(
    status: int,
    document: dict[str, Any],
    headers: dict[str, str] | None = None,
    content_type: str = "application/json",
) -> Response[str]:
    """A JSON answer."""
    body = json.dumps(document, ensure_ascii=False)
    return Response(status_code=status, content_type=content_type, body=body, headers=headers or {})
