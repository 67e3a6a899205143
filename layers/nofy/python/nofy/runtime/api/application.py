"""The resolver every API function starts from: routing, error documents, the request's id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from nofy.domain.errors import NofyError
from nofy.runtime.api.problems import of_error, problem
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError


def application() -> APIGatewayRestResolver:
    """A resolver on which every exception ends as a problem document."""
    app = APIGatewayRestResolver()

    @app.not_found
    def no_route(_: NoRouteError) -> Response[str]:
        return problem(404, "no_such_route", "There is no such route", request_id(app))

    @app.exception_handler(NofyError)  # type: ignore[untyped-decorator]
    def on_purpose(error: NofyError) -> Response[str]:
        logger.info("refused", extra={"error": type(error).__name__, "detail": str(error)})
        return of_error(error, request_id(app))

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unforeseen(_: Exception) -> Response[str]:
        logger.exception("unforeseen error")
        return problem(500, "internal_error", "Something went wrong here", request_id(app))

    return app


def request_id(app: APIGatewayRestResolver) -> str:
    """What a caller quotes when something went wrong, and what our log lines carry."""
    return str(getattr(app.lambda_context, "aws_request_id", "unknown"))


def body_of(app: APIGatewayRestResolver) -> bytes:
    """The request's body as it was sent."""
    event = app.current_event
    text = event.decoded_body if event.get("isBase64Encoded") else event.body
    return (text or "").encode()


def answer(status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> Response[str]:
    """A JSON answer."""
    body = json.dumps(document, ensure_ascii=False)
    return Response(status_code=status, content_type="application/json", body=body, headers=headers or {})
