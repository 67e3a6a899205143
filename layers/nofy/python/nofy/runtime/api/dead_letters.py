"""The routes of dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain.errors import NotFoundError
from nofy.domain.ids import Prefix, decode
from nofy.queries.dead_letters import resource
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.application import Ports, answer, caller
from nofy.runtime.api.models import DeadLettersQuery
from nofy.runtime.api.requests import read

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response


def register(app: APIGatewayRestResolver, ports: Ports) -> None:
    """Add the routes to a resolver."""

    @app.get("/v1/dead-letters")
    def index() -> Response[str]:
        principal = caller(app, ports)
        asked = read(DeadLettersQuery, app.current_event.query_string_parameters or {}, "?")
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.dead_letters(principal, asked.fingerprint, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].dead_letter_id) if more else None
        return answer(200, {"dead_letters": [resource(each) for each in page], "next_cursor": cursor})

    @app.post("/v1/dead-letters/<dead_letter_id>/redrive")
    def redrive(dead_letter_id: str) -> Response[str]:
        principal = caller(app, ports)
        identifier = decode(Prefix.DEAD_LETTER, dead_letter_id)
        if identifier is None:
            raise NotFoundError(dead_letter_id)
        return answer(202, resource(ports.amender.redrive(principal, identifier)))
