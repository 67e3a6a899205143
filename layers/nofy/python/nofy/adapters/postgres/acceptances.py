"""The producer's part of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, RefusedByDatabaseError, statement
from nofy.adapters.postgres.reading import AS_PROJECT
from nofy.domain.accounts import Actor, ActorKind, ProjectLimits
from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.notification import Integration, PlannedDelivery, PlannedNotification, Principal
from nofy.domain.permissions import Scope, of_scopes
from nofy.domain.routing import Channel, Provider
from nofy.domain.tokens import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.ports.store import IdempotencyClaim

_IN_FLIGHT = "NF409"
_ANSWERED = "NF200"
_SLOTS = 16  # rows an hour's counter is spread over


class PostgresAcceptances:
    """Implements :class:`nofy.ports.store.Acceptances`: one trip to authenticate, one to accept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def principal(self, token_hash: bytes) -> Principal | None:
        rows = self._database.run(statement("principal"), {"token_hash": token_hash.hex()})
        return _principal(rows[0]) if rows else None

    def accept(
        self,
        principal: Principal,
        planned: Sequence[PlannedNotification],
        claim: IdempotencyClaim | None = None,
    ) -> dict[str, Any] | None:
        parameters = _parameters(principal, planned, claim)
        try:
            self._database.run(statement("accept"), parameters)
        except RefusedByDatabaseError as error:
            if claim is None or error.code not in (_IN_FLIGHT, _ANSWERED):
                raise
            return self._earlier_answer(error.code, parameters, claim)
        return None

    def _earlier_answer(self, code: str, parameters: dict[str, Any], claim: IdempotencyClaim) -> dict[str, Any] | None:
        if code == _IN_FLIGHT:
            raise ConflictError("idempotency_key_in_flight", "a request with this key is being worked on", 1)
        rows = self._database.run(AS_PROJECT + statement("earlier_answer"), parameters)
        if not rows:  # forgotten between two statements: as good as in flight
            raise ConflictError("idempotency_key_in_flight", "a request with this key is being worked on", 1)
        request_hash, answer = rows[0]
        if bytes(request_hash) != claim.request_hash:
            raise IdempotencyKeyReusedError("this key came with another body before")
        return dict(answer)


def _principal(row: tuple[Any, ...]) -> Principal:
    project_id, key_id, mode, integrations, name, scopes, ends, *limits = row
    return Principal(
        project_id,
        Actor(ActorKind.TOKEN, key_id, name),
        Mode(mode),
        integrations_of(integrations),
        of_scopes(tuple(Scope(each) for each in scopes)),
        limits_of(*limits),
        ends,
    )


def limits_of(requests_per_second: float | None, burst: int | None, notifications_per_day: int | None) -> ProjectLimits:
    """A project's own limits where an operator set any, the defaults elsewhere."""
    usual = ProjectLimits()
    return ProjectLimits(
        requests_per_second or usual.requests_per_second,
        burst or usual.burst,
        notifications_per_day or usual.notifications_per_day,
    )


def integrations_of(found: list[list[Any]]) -> tuple[Integration, ...]:
    """What a principal can send with, from the list that PostgreSQL makes of it."""
    return tuple(_integration(each) for each in found)


def _integration(value: list[Any]) -> Integration:
    from uuid import UUID

    identifier, channel, provider, settings, is_default = value
    return Integration(UUID(identifier), Channel(channel), Provider(provider), settings, is_default)


def _parameters(
    principal: Principal, planned: Sequence[PlannedNotification], claim: IdempotencyClaim | None
) -> dict[str, Any]:
    return {
        "project_id": principal.project_id,
        "live": principal.mode is Mode.LIVE,
        "notifications": _text([_notification(each) for each in planned]),
        "deliveries": _text([_delivery(n.notification_id, each) for n in planned for each in n.deliveries]),
        "slot": planned[0].notification_id.int % _SLOTS,
        "key": claim.key if claim else None,
        "request_hash": claim.request_hash if claim else None,
        "answer": _text(claim.answer) if claim else None,
    }


def _text(document: Any) -> str:
    return json_bytes(document).decode()


def _notification(planned: PlannedNotification) -> dict[str, Any]:
    """Without what is empty, and with a time of its own only where it is not due at once (0020 reads it)."""
    draft = planned.draft
    told = {
        "id": planned.notification_id,
        "class": draft.message_class,
        "priority": planned.priority,
        "recipient": draft.to,
        "content": draft.content,
        "expires_at": planned.expires_at,
        "delivery_mode": draft.delivery_mode,
        "created_at": planned.created_at,
    }
    if planned.send_at != planned.created_at:
        told["send_at"] = planned.send_at
    if draft.reference is not None:
        told["reference"] = draft.reference
    if draft.tags:
        told["tags"] = draft.tags
    if draft.metadata:
        told["metadata"] = draft.metadata
    return told


def _delivery(notification_id: UUID, planned: PlannedDelivery) -> dict[str, Any]:
    return {
        "id": planned.delivery_id,
        "notification_id": notification_id,
        "integration_id": planned.integration_id,
        "channel": planned.lane.channel,
        "provider": planned.provider,
        "destination": planned.destination,
        "content": planned.content,
    }
