"""What every API function is built on: routing, error documents, and what every answer carries.

Powertools' resolver does the routing as well. Its package brings AppSync, Bedrock, OpenAPI and asyncio along: a quarter
of what the producer loaded (docs/adr/0009).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import NofyError, RequestOutOfBoundsError
from nofy.runtime.api.headers import SECURITY, crossing, header, out_of_bounds, preflight
from nofy.runtime.api.problems import document_of, of_error, problem
from nofy.runtime.api.responses import Response
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from nofy.pipeline.amend import Amender
    from nofy.ports.clock import Clock
    from nofy.ports.reading import Reading
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Acceptances
    from nofy.runtime.api.admission import Admission
    from nofy.runtime.api.auditing import Auditing
    from nofy.runtime.api.edge import Edge
    from nofy.runtime.api.routes import Route

    Handler = Callable[..., Response]


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
    born_at: Callable[[datetime], UUID]  # makes ids of notifications and deliveries


class Application:
    """One function's routes. One request at a time, as Lambda hands them over: the present one is told by attributes.

    Every exception of a handler ends as a problem document. Every answer carries the headers that browsers are to be
    told, and those of this request. Other ``origins``' pages may call it.
    """

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(origins)
        self._routes: list[tuple[Route, Handler]] = []
        self.event: Mapping[str, Any] = {}
        self.context: Any = None
        self.headers: dict[str, str] = {}

    @property
    def routes(self) -> list[Route]:
        """What is answered here."""
        return [route for route, _ in self._routes]

    @property
    def path(self) -> str:
        return str(self.event["path"])

    @property
    def query(self) -> dict[str, str]:
        return dict(self.event.get("queryStringParameters") or {})

    def header(self, name: str) -> str | None:
        """One of the request's headers, by its name in small letters."""
        return header(self.event, name)

    def add(self, route: Route, handler: Handler) -> None:
        """``handler(**path parameters)`` answers this route; a path without parameters is looked at before others."""
        self._routes.append((route, handler))
        self._routes.sort(key=lambda each: each[0].path.count("{"))

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """API Gateway's event to its answer."""
        self.event, self.context, self.headers = event, context, {}
        response = self._answer()
        return response.with_headers({**SECURITY, **crossing(event, self._origins), **self.headers})

    def _answer(self) -> Response:
        if self.event["httpMethod"] == "OPTIONS":
            return Response(204, "", preflight(self.event, self._origins))
        try:
            return self._routed()
        except NofyError as error:
            logger.info("refused", extra={"error": type(error).__name__, "detail": str(error)})
            return of_error(error, request_id(self))
        except Exception:  # noqa: BLE001  # a caller gets an answer, whatever happens; the log gets the rest
            logger.exception("unforeseen error")
            return problem(document_of(500, "internal_error", "Something went wrong here", request_id(self)))

    def _routed(self) -> Response:
        if wrong := out_of_bounds(self.event):
            raise RequestOutOfBoundsError(wrong)
        for route, handler in self._routes:
            parameters = route.match(self.event["httpMethod"], self.path)
            if parameters is not None:
                return handler(**parameters)
        return problem(document_of(404, "no_such_route", "There is no such route", request_id(self)))


def request_id(app: Application) -> str:
    """What a caller quotes when something went wrong, and what our log lines carry."""
    return str(getattr(app.context, "aws_request_id", "unknown"))


def body_of(app: Application) -> bytes:
    """The request's body as it was sent."""
    text = app.event.get("body") or ""
    return base64.b64decode(text) if app.event.get("isBase64Encoded") else text.encode(errors="surrogatepass")
