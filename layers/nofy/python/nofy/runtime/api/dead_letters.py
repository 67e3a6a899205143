"""The routes of dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain.errors import NotFoundError
from nofy.domain.ids import Prefix, decode
from nofy.domain.routing import Channel
from nofy.ports.reading import DeadLetterFilter
from nofy.queries.dead_letters import discarded, group, preview, redriven, resource
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.application import Ports, answer, body_of, caller
from nofy.runtime.api.dead_letter_models import (
    DeadLetterSelection,
    DeadLettersQuery,
    DiscardOneRequest,
    DiscardRequest,
    RedriveRequest,
)
from nofy.runtime.api.models import PageQuery
from nofy.runtime.api.requests import parse_json, read, read_edit

if TYPE_CHECKING:
    from uuid import UUID

    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

    from nofy.domain.edit import Edit
    from nofy.domain.notification import Principal

# How many of the recipients a preview names.
SAMPLE = 10


def register(app: APIGatewayRestResolver, ports: Ports) -> None:
    """Add the routes to a resolver."""
    _register_reads(app, ports)
    _register_one(app, ports)
    _register_many(app, ports)


def _register_reads(app: APIGatewayRestResolver, ports: Ports) -> None:
    @app.get("/v1/dead-letters")
    def index() -> Response[str]:
        principal = caller(app, ports)
        asked = read(DeadLettersQuery, app.current_event.query_string_parameters or {}, "?")
        wanted = DeadLetterFilter(asked.status, asked.channel, asked.fingerprint)
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.dead_letters(principal, wanted, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].dead_letter_id) if more else None
        return answer(200, {"dead_letters": [resource(each) for each in page], "next_cursor": cursor})

    @app.get("/v1/dead-letters/groups")
    def groups() -> Response[str]:
        principal = caller(app, ports)
        asked = read(PageQuery, app.current_event.query_string_parameters or {}, "?")
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.dead_letter_groups(principal, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].latest_id) if more else None
        return answer(200, {"groups": [group(each) for each in page], "next_cursor": cursor})


def _register_one(app: APIGatewayRestResolver, ports: Ports) -> None:
    @app.get("/v1/dead-letters/<dead_letter_id>")
    def show(dead_letter_id: str) -> Response[str]:
        principal = caller(app, ports)
        view = ports.reading.dead_letter(principal, identified(dead_letter_id))
        if view is None:
            raise NotFoundError(dead_letter_id)
        return answer(200, resource(view))

    @app.post("/v1/dead-letters/<dead_letter_id>/redrive")
    def redrive(dead_letter_id: str) -> Response[str]:
        principal = caller(app, ports)
        identifier = identified(dead_letter_id)
        edit = _edit(body_of(app), principal, identifier, ports)
        return answer(202, resource(ports.amender.redrive(principal, identifier, edit)))

    @app.post("/v1/dead-letters/<dead_letter_id>/discard")
    def discard(dead_letter_id: str) -> Response[str]:
        principal = caller(app, ports)
        identifier = identified(dead_letter_id)
        asked = read(DiscardOneRequest, parse_json(body_of(app)))
        return answer(200, resource(ports.amender.discard(principal, identifier, asked.reason)))


def _register_many(app: APIGatewayRestResolver, ports: Ports) -> None:
    @app.post("/v1/dead-letters/redrive/preview")
    def preview_redrive() -> Response[str]:
        principal = caller(app, ports)
        asked = read(DeadLetterSelection, parse_json(body_of(app)))
        return answer(200, preview(ports.reading.redrive_preview(principal, asked.wanted(), SAMPLE)))

    @app.post("/v1/dead-letters/redrive")
    def redrive_many() -> Response[str]:
        principal = caller(app, ports)
        asked = read(RedriveRequest, parse_json(body_of(app)))
        done = ports.amender.redrive_many(
            principal, asked.wanted(), asked.max, asked.per_second, skip_expired=asked.skip_expired
        )
        return answer(202, redriven(done))

    @app.post("/v1/dead-letters/discard")
    def discard_many() -> Response[str]:
        principal = caller(app, ports)
        asked = read(DiscardRequest, parse_json(body_of(app)))
        return answer(200, discarded(ports.amender.discard_many(principal, asked.wanted(), asked.max, asked.reason)))


def identified(dead_letter_id: str) -> UUID:
    """The id's uuid; NotFoundError for what cannot be anybody's."""
    identifier = decode(Prefix.DEAD_LETTER, dead_letter_id)
    if identifier is None:
        raise NotFoundError(dead_letter_id)
    return identifier


def _edit(body: bytes, principal: Principal, identifier: UUID, ports: Ports) -> Edit | None:
    """What a redrive's body changes, judged by the delivery's channel; without a body nothing is changed."""
    asked = parse_json(body) if body.strip() else {}
    if asked == {}:
        return None
    letter = ports.reading.dead_letter(principal, identifier)
    if letter is None:
        raise NotFoundError(str(identifier))
    return read_edit(asked, Channel(letter.channel), principal)
