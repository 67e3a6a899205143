"""The resolver every API function starts from: routing, error documents, and what every answer carries."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from nofy.domain.errors import NofyError, RequestOutOfBoundsError
from nofy.runtime.api.headers import SECURITY, crossing, header, out_of_bounds, preflight
from nofy.runtime.api.problems import CONTENT_TYPE, document_of, of_error, problem
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from uuid import UUID

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError

    from nofy.pipeline.amend import Amender
    from nofy.ports.clock import Clock
    from nofy.ports.reading import Reading
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Acceptances
    from nofy.runtime.api.admission import Admission
    from nofy.runtime.api.auditing import Auditing
    from nofy.runtime.api.edge import Edge


@dataclass(frozen=True, slots=True)
class Ports:
    """What the producer's routes call."""

    edge: Edge
    admission: Admission
    auditing: Auditing
    store: Acceptances
    reading: Reading
    schedule: Schedule
    amender: Amender
    clock: Clock
    new_id: Callable[[], UUID]


class Application(APIGatewayRestResolver):
    """A resolver whose every answer carries the headers that browsers are to be told, and those of this request."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        super().__init__()
        self._origins = frozenset(origins)
        self.headers: dict[str, str] = {}

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """API Gateway's event to its answer; one request at a time, as Lambda hands them over."""
        self.headers = {}
        answer = self._before_routing(event, context) or super().resolve(dict(event), context)
        more = {**SECURITY, **crossing(event, self._origins), **self.headers}
        told = {**answer["multiValueHeaders"], **{name: [value] for name, value in more.items()}}
        return {**answer, "multiValueHeaders": told}

    def _before_routing(self, event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
        if event["httpMethod"] == "OPTIONS":
            return _bare(204, "", preflight(event, self._origins))
        if wrong := out_of_bounds(event):
            refused = of_error(RequestOutOfBoundsError(wrong), context.aws_request_id)
            return _bare(refused.status_code, refused.body or "", {"Content-Type": CONTENT_TYPE})
        return None

    def header(self, name: str) -> str | None:
        """One of the request's headers."""
        return header(self.current_event.raw_event, name)


def _bare(status: int, body: str, headers: dict[str, str]) -> dict[str, Any]:
    told = {name: [value] for name, value in headers.items()}
    return {"statusCode": status, "body": body, "isBase64Encoded": False, "multiValueHeaders": told}


def application(origins: Collection[str] = ()) -> Application:
    """A resolver on which every exception ends as a problem document. Other ``origins``' pages may call it."""
    app = Application(origins)

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
