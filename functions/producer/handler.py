"""The producer: a notification in over HTTPS, a promise out.

It imports neither boto3 nor kafka: a cold start on the path of somebody's request loads what that path uses.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aws_lambda_powertools.event_handler import Response  # noqa: TC002  # the resolver reads the annotations

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.reading import PostgresReading
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.errors import FieldError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, decode
from nofy.domain.notification import plan
from nofy.pipeline.accept import accept
from nofy.ports.store import IdempotencyClaim
from nofy.queries.notifications import planned_view, resource
from nofy.runtime import clock, settings
from nofy.runtime.api.application import answer, application, body_of
from nofy.runtime.api.authentication import authenticate
from nofy.runtime.api.requests import parse_json, read_notification
from nofy.runtime.observability import observed

# A caller waits for this: Redis gets a quarter of a second and no second chance.
REDIS_TIMEOUT = 0.25
MAX_KEY_LENGTH = 255

configured = settings.load(settings.ProducerSettings)
database = Database(configured.postgres_dsn, application="nofy-producer")
store = PostgresAcceptances(database)
reading = PostgresReading(database)
schedule = RedisSchedule(configured.redis_url, timeout=REDIS_TIMEOUT)
app = application()


@app.post("/v1/notifications")
def create() -> Response[str]:
    """Accept a notification: 202 means that its row is committed."""
    principal = authenticate(app.current_event.headers.get("authorization"), store)
    body = body_of(app)
    planned = plan(read_notification(parse_json(body), principal, clock.now()), principal, clock.new_id, clock.now())
    document = resource(planned_view(planned, principal))
    claim = idempotency_claim(body, document)
    replay = accept(principal, [planned], claim, store=store, schedule=schedule, clock=clock.now)
    return answer(202, replay or document, {"Idempotency-Replayed": "true"} if replay else None)


@app.get("/v1/notifications/<notification_id>")
def show(notification_id: str) -> Response[str]:
    """One notification with its deliveries, attempts and timeline."""
    principal = authenticate(app.current_event.headers.get("authorization"), store)
    identifier = decode(Prefix.NOTIFICATION, notification_id)
    view = reading.notification(principal, identifier) if identifier else None
    if view is None:
        raise NotFoundError(notification_id)
    return answer(200, resource(view, timeline=True))


def idempotency_claim(body: bytes, document: dict[str, Any]) -> IdempotencyClaim | None:
    """The caller's idempotency key, if there is one: the same JSON is the same request, however it is spaced."""
    key = app.current_event.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        message = f"1 to {MAX_KEY_LENGTH} printable characters"
        raise InvalidRequestError([FieldError("Idempotency-Key", "invalid", message)])
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return IdempotencyClaim(key, hashlib.sha256(canonical.encode()).digest(), document)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
