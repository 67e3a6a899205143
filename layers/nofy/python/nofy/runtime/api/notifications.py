"""The routes of notifications: translate, call, translate."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import FieldError, InvalidRequestError, NofyError, NotFoundError
from nofy.domain.ids import Prefix, decode, encode
from nofy.domain.notification import PlannedNotification, Principal, plan
from nofy.pipeline.accept import accept, again
from nofy.ports.store import IdempotencyClaim
from nofy.queries.notifications import planned_view, resource
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.application import Application, Ports, body_of, request_id
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.problems import CONTENT_TYPE, document_of, document_of_error
from nofy.runtime.api.requests import read, read_notification
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.runtime.api.responses import Response

MAX_KEY_LENGTH = 255
# Whose thread is kept: it runs when the one that handed it work waits. A new one would run at once, before that.
_beside = ThreadPoolExecutor(1)


def register(app: Application, ports: Ports) -> None:
    """Add the routes to a resolver."""
    routes = Routes(app, ports.edge, Function.PRODUCER)
    _register_new(routes, app, ports)
    _register_reads(routes, app, ports)
    _register_amendments(routes, app, ports)


def _register_new(routes: Routes, app: Application, ports: Ports) -> None:
    @routes.of_project("createNotification")
    def create(principal: Principal) -> Response:
        body = parse_json(body_of(app))
        now = ports.clock()
        planned = plan(read_notification(body, principal, now), principal, ports.born_at, now)
        return _accepted(app, ports, principal, [planned], body, lambda: _document(planned, principal))

    @routes.of_project("createNotifications")
    def create_batch(principal: Principal) -> Response:
        from nofy.runtime.api.models import BatchRequest

        body = parse_json(body_of(app))
        items = read(BatchRequest, body).notifications
        found, request = _plan_each(items, principal, ports), request_id(app)
        planned = [each for each in found if isinstance(each, PlannedNotification)]

        def document() -> dict[str, Any]:
            summary = {"accepted": len(planned), "refused": len(items) - len(planned)}
            return {"results": [_result(each, principal, request) for each in found], "summary": summary}

        if not planned:
            title = "No notification of the batch can be accepted as it is"
            head = document_of(422, "nothing_accepted", title, request)
            return answer(422, head | document(), content_type=CONTENT_TYPE)
        return _accepted(app, ports, principal, planned, body, document)

    @routes.of_project("sendNotificationAgain")
    def send_again(principal: Principal, notification_id: str) -> Response:
        view = ports.reading.notification(principal, identified(notification_id))
        if view is None:
            raise NotFoundError(notification_id)
        planned = plan(again(view), principal, ports.born_at, ports.clock())
        asked, sent_as = {"send_again": notification_id}, encode(Prefix.NOTIFICATION, planned.notification_id)
        accepted = _accepted(app, ports, principal, [planned], asked, lambda: _document(planned, principal))
        ports.auditing.one(app, principal, "notification.sent_again", notification_id, sent_as=sent_as)
        return accepted


def _register_reads(routes: Routes, app: Application, ports: Ports) -> None:
    @routes.of_project("listNotifications")
    def index(principal: Principal) -> Response:
        from nofy.runtime.api.models import NotificationsQuery

        asked = read(NotificationsQuery, app.query, "?")
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.notifications(principal, asked.wanted(), before, asked.limit)
        cursor = encode_cursor(found.more) if found.more else None
        return answer(200, {"notifications": [resource(each) for each in found.views], "next_cursor": cursor})

    @routes.of_project("getNotification")
    def show(principal: Principal, notification_id: str) -> Response:
        view = ports.reading.notification(principal, identified(notification_id))
        if view is None:
            raise NotFoundError(notification_id)
        return answer(200, resource(view, timeline=True))


def _register_amendments(routes: Routes, app: Application, ports: Ports) -> None:
    @routes.of_project("moveNotification")
    def move(principal: Principal, notification_id: str) -> Response:
        from nofy.runtime.api.models import MoveRequest

        asked = read(MoveRequest, parse_json(body_of(app)))
        view = ports.amender.move(principal, identified(notification_id), asked.send_at, asked.expires_at)
        ports.auditing.one(app, principal, "notification.moved", notification_id, send_at=view.send_at.isoformat())
        return answer(200, resource(view, timeline=True))

    @routes.of_project("cancelNotification")
    def cancel(principal: Principal, notification_id: str) -> Response:
        view = ports.amender.cancel(principal, identified(notification_id))
        ports.auditing.one(app, principal, "notification.cancelled", notification_id)
        return answer(200, resource(view, timeline=True))


def identified(notification_id: str) -> UUID:
    """The id's uuid; NotFoundError for what cannot be anybody's."""
    identifier = decode(Prefix.NOTIFICATION, notification_id)
    if identifier is None:
        raise NotFoundError(notification_id)
    return identifier


def _plan_each(items: list[Any], principal: Principal, ports: Ports) -> list[PlannedNotification | InvalidRequestError]:
    """Every item's plan, or what is wrong with it, in order."""
    now = ports.clock()
    found: list[PlannedNotification | InvalidRequestError] = []
    for item in items:
        try:
            found.append(plan(read_notification(item, principal, now), principal, ports.born_at, now))
        except InvalidRequestError as error:
            found.append(error)
    return found


def _result(found: PlannedNotification | InvalidRequestError, principal: Principal, request: str) -> dict[str, Any]:
    """Each item of a batch has a status of its own."""
    if isinstance(found, InvalidRequestError):
        return {"status": 422, "error": document_of_error(found, request)}
    return {"status": 202, "notification": _document(found, principal)}


def _document(planned: PlannedNotification, principal: Principal) -> dict[str, Any]:
    return resource(planned_view(planned, principal))


def _accepted(
    app: Application,
    ports: Ports,
    principal: Principal,
    planned: list[PlannedNotification],
    body: Any,
    document: Callable[[], dict[str, Any]],
) -> Response:
    claim = _claim(app, body, document)
    if claim is None and len(planned) > 1:
        # The answer of a batch is a sixth of its work, and nobody but its caller reads it: it is written while
        # PostgreSQL stores.
        written = _beside.submit(lambda: answer(202, document()))
        _charged(ports, principal, planned, claim)
        return written.result()
    replay = _charged(ports, principal, planned, claim)
    if replay:
        return answer(202, replay, {"Idempotency-Replayed": "true"})
    return answer(202, claim.answer if claim else document())


def _charged(
    ports: Ports, principal: Principal, planned: list[PlannedNotification], claim: IdempotencyClaim | None
) -> dict[str, Any] | None:
    """Accept within the day's quota. What is not stored, or was stored by an earlier request, is not charged.

    Whether a request is a replay is known to the store alone, so one that comes when the quota is used up is refused
    until the day is over, though its notifications are safe.
    """
    ports.admission.spend(principal, len(planned))
    try:
        replay = accept(principal, planned, claim, store=ports.store, schedule=ports.schedule, clock=ports.clock)
    except NofyError:
        ports.admission.give_back(principal, len(planned))
        raise
    if replay is not None:
        ports.admission.give_back(principal, len(planned))
    return replay


def _claim(app: Application, body: Any, document: Callable[[], dict[str, Any]]) -> IdempotencyClaim | None:
    """The caller's idempotency key, if there is one: the same JSON is the same request, however it is spaced."""
    key = app.header("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        message = f"1 to {MAX_KEY_LENGTH} printable characters"
        raise InvalidRequestError([FieldError("Idempotency-Key", "invalid", message)])
    canonical = json.dumps([app.path, body], sort_keys=True, separators=(",", ":"))
    return IdempotencyClaim(key, hashlib.sha256(canonical.encode()).digest(), document())
