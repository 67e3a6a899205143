"""The routes of dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.errors import NotFoundError
from nofy.domain.ids import Prefix, decode, encode
from nofy.domain.routing import Channel
from nofy.ports.reading import DeadLetterFilter
from nofy.queries.dead_letters import discarded, group, preview, redriven, resource
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.application import Application, Ports, body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.notifications import identified as identified_notification
from nofy.runtime.api.requests import read, read_edit
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.edit import Edit
    from nofy.domain.notification import Principal
    from nofy.runtime.api.dead_letter_models import DeadLetterSelection
    from nofy.runtime.api.responses import Response

# How many of the recipients a preview names.
SAMPLE = 10


def register(app: Application, ports: Ports) -> None:
    """Add the routes to a resolver."""
    routes = Routes(app, ports.edge, Function.PRODUCER)
    _register_reads(app, routes, ports)
    _register_one(app, routes, ports)
    _register_many(app, routes, ports)


def _register_reads(app: Application, routes: Routes, ports: Ports) -> None:
    @routes.of_project("listDeadLetters")
    def index(principal: Principal) -> Response:
        from nofy.runtime.api.dead_letter_models import DeadLettersQuery

        asked = read(DeadLettersQuery, app.query, "?")
        meant = identified_notification(asked.notification) if asked.notification else None
        wanted = DeadLetterFilter(asked.status, asked.channel, asked.fingerprint, notification_id=meant)
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.dead_letters(principal, wanted, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].dead_letter_id) if more else None
        return answer(200, {"dead_letters": [resource(each) for each in page], "next_cursor": cursor})

    @routes.of_project("listDeadLetterGroups")
    def groups(principal: Principal) -> Response:
        from nofy.runtime.api.models import PageQuery

        asked = read(PageQuery, app.query, "?")
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.dead_letter_groups(principal, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].latest_id) if more else None
        return answer(200, {"groups": [group(each) for each in page], "next_cursor": cursor})


def _register_one(app: Application, routes: Routes, ports: Ports) -> None:
    @routes.of_project("getDeadLetter")
    def show(principal: Principal, dead_letter_id: str) -> Response:
        view = ports.reading.dead_letter(principal, identified(dead_letter_id))
        if view is None:
            raise NotFoundError(dead_letter_id)
        return answer(200, resource(view))

    @routes.of_project("redriveDeadLetter")
    def redrive(principal: Principal, dead_letter_id: str) -> Response:
        identifier = identified(dead_letter_id)
        edit = _edit(body_of(app), principal, identifier, ports)
        letter = ports.amender.redrive(principal, identifier, edit)
        ports.auditing.one(app, principal, "dead_letter.redriven", dead_letter_id, edited=edit is not None)
        return answer(202, resource(letter))

    @routes.of_project("discardDeadLetter")
    def discard(principal: Principal, dead_letter_id: str) -> Response:
        from nofy.runtime.api.dead_letter_models import DiscardOneRequest

        identifier = identified(dead_letter_id)
        asked = read(DiscardOneRequest, parse_json(body_of(app)))
        letter = ports.amender.discard(principal, identifier, asked.reason)
        ports.auditing.one(app, principal, "dead_letter.discarded", dead_letter_id, reason=asked.reason)
        return answer(200, resource(letter))


def _register_many(app: Application, routes: Routes, ports: Ports) -> None:
    @routes.of_project("previewRedrive")
    def preview_redrive(principal: Principal) -> Response:
        from nofy.runtime.api.dead_letter_models import DeadLetterSelection

        asked = read(DeadLetterSelection, parse_json(body_of(app)))
        return answer(200, preview(ports.reading.redrive_preview(principal, asked.wanted(), SAMPLE)))

    @routes.of_project("redriveDeadLetters")
    def redrive_many(principal: Principal) -> Response:
        from nofy.runtime.api.dead_letter_models import RedriveRequest

        asked = read(RedriveRequest, parse_json(body_of(app)))
        done = ports.amender.redrive_many(
            principal, asked.wanted(), asked.max, asked.per_second, skip_expired=asked.skip_expired
        )
        _note_many(app, ports, principal, "dead_letters.redriven", asked, redriven(done))
        return answer(202, redriven(done))

    @routes.of_project("discardDeadLetters")
    def discard_many(principal: Principal) -> Response:
        from nofy.runtime.api.dead_letter_models import DiscardRequest

        asked = read(DiscardRequest, parse_json(body_of(app)))
        done = ports.amender.discard_many(principal, asked.wanted(), asked.max, asked.reason)
        _note_many(app, ports, principal, "dead_letters.discarded", asked, discarded(done))
        return answer(200, discarded(done))


def _note_many(
    app: Application, ports: Ports, principal: Principal, action: str, asked: DeadLetterSelection, done: dict[str, Any]
) -> None:
    """Which were meant, and what was done; of ids how many, for a thousand of them are nobody's to read."""
    meant = asked.model_dump(mode="json", exclude_none=True, exclude={"ids"})
    meant |= {"ids": len(asked.ids)} if asked.ids else {}
    project = encode(Prefix.PROJECT, principal.project_id)
    ports.auditing.many(app, principal, action, project, asked=meant, **done)


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
