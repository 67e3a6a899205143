"""The routes of notifications: translate, call, translate."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import FieldError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, decode
from nofy.domain.notification import PlannedNotification, Principal, plan
from nofy.pipeline.accept import accept
from nofy.ports.reading import NotificationFilter
from nofy.ports.store import IdempotencyClaim
from nofy.queries.notifications import planned_view, resource
from nofy.queries.pages import decode_cursor, encode_cursor
from nofy.runtime.api.application import Ports, answer, body_of, caller, request_id
from nofy.runtime.api.models import BatchRequest, MoveRequest, NotificationsQuery
from nofy.runtime.api.problems import CONTENT_TYPE, document_of, document_of_error
from nofy.runtime.api.requests import parse_json, read, read_notification

if TYPE_CHECKING:
    from uuid import UUID

    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

MAX_KEY_LENGTH = 255


def register(app: APIGatewayRestResolver, ports: Ports) -> None:
    """Add the routes to a resolver."""

    @app.post("/v1/notifications")
    def create() -> Response[str]:
        principal = caller(app, ports)
        body = parse_json(body_of(app))
        planned = _plan(body, principal, ports)
        document = resource(planned_view(planned, principal))
        return _accepted(app, ports, principal, [planned], body, document)

    @app.post("/v1/notifications/batch")
    def create_batch() -> Response[str]:
        principal = caller(app, ports)
        body = parse_json(body_of(app))
        items = read(BatchRequest, body).notifications
        planned, results = _plan_each(items, principal, ports, request_id(app))
        summary = {"accepted": len(planned), "refused": len(items) - len(planned)}
        document = {"results": results, "summary": summary}
        if not planned:
            title = "No notification of the batch can be accepted as it is"
            head = document_of(422, "nothing_accepted", title, request_id(app))
            return answer(422, head | document, content_type=CONTENT_TYPE)
        return _accepted(app, ports, principal, planned, body, document)

    @app.get("/v1/notifications")
    def index() -> Response[str]:
        principal = caller(app, ports)
        asked = read(NotificationsQuery, app.current_event.query_string_parameters or {}, "?")
        wanted = NotificationFilter(asked.status, asked.channel, asked.reference, asked.tag)
        before = decode_cursor(asked.cursor) if asked.cursor else None
        found = ports.reading.notifications(principal, wanted, before, asked.limit + 1)
        page, more = found[: asked.limit], len(found) > asked.limit
        cursor = encode_cursor(page[-1].notification_id) if more else None
        return answer(200, {"notifications": [resource(each) for each in page], "next_cursor": cursor})

    @app.get("/v1/notifications/<notification_id>")
    def show(notification_id: str) -> Response[str]:
        principal = caller(app, ports)
        view = ports.reading.notification(principal, identified(notification_id))
        if view is None:
            raise NotFoundError(notification_id)
        return answer(200, resource(view, timeline=True))

    @app.patch("/v1/notifications/<notification_id>")
    def move(notification_id: str) -> Response[str]:
        principal = caller(app, ports)
        asked = read(MoveRequest, parse_json(body_of(app)))
        view = ports.amender.move(principal, identified(notification_id), asked.send_at, asked.expires_at)
        return answer(200, resource(view, timeline=True))

    @app.post("/v1/notifications/<notification_id>/cancel")
    def cancel(notification_id: str) -> Response[str]:
        principal = caller(app, ports)
        return answer(200, resource(ports.amender.cancel(principal, identified(notification_id)), timeline=True))


def identified(notification_id: str) -> UUID:
    """The id's uuid; NotFoundError for what cannot be anybody's."""
    identifier = decode(Prefix.NOTIFICATION, notification_id)
    if identifier is None:
        raise NotFoundError(notification_id)
    return identifier


def _plan(body: Any, principal: Principal, ports: Ports) -> PlannedNotification:
    now = ports.clock()
    return plan(read_notification(body, principal, now), principal, ports.new_id, now)


def _plan_each(
    items: list[Any], principal: Principal, ports: Ports, request: str
) -> tuple[list[PlannedNotification], list[dict[str, Any]]]:
    """What can be accepted, and a result for every item in order: each has a status of its own."""
    planned: list[PlannedNotification] = []
    results: list[dict[str, Any]] = []
    for item in items:
        try:
            one = _plan(item, principal, ports)
        except InvalidRequestError as error:
            results.append({"status": 422, "error": document_of_error(error, request)})
            continue
        planned.append(one)
        results.append({"status": 202, "notification": resource(planned_view(one, principal))})
    return planned, results


def _accepted(
    app: APIGatewayRestResolver,
    ports: Ports,
    principal: Principal,
    planned: list[PlannedNotification],
    body: Any,
    document: dict[str, Any],
) -> Response[str]:
    claim = _claim(app, body, document)
    replay = accept(principal, planned, claim, store=ports.store, schedule=ports.schedule, clock=ports.clock)
    return answer(202, replay or document, {"Idempotency-Replayed": "true"} if replay else None)


def _claim(app: APIGatewayRestResolver, body: Any, document: dict[str, Any]) -> IdempotencyClaim | None:
    """The caller's idempotency key, if there is one: the same JSON is the same request, however it is spaced."""
    key = app.current_event.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        message = f"1 to {MAX_KEY_LENGTH} printable characters"
        raise InvalidRequestError([FieldError("Idempotency-Key", "invalid", message)])
    canonical = json.dumps([app.current_event.path, body], sort_keys=True, separators=(",", ":"))
    return IdempotencyClaim(key, hashlib.sha256(canonical.encode()).digest(), document)
