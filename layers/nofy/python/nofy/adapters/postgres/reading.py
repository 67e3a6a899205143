"""The API's reads."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, statement
from nofy.domain.lifecycle import Status
from nofy.domain.tokens import Mode
from nofy.ports.reading import AttemptView, DeadLetterView, DeliveryView, NotificationFilter, NotificationView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from nofy.domain.notification import Principal

Row = tuple[Any, ...]

# Columns of notification.sql: thirteen of the notification, twelve of the delivery, six of the attempt.
_DELIVERY, _ATTEMPT = 13, 25

# Row-level security sees the project for the length of the trip in which this travels.
AS_PROJECT = "SELECT set_config('nofy.project_id', %(project_id)s::text, true);"


class PostgresReading:
    """Implements :class:`nofy.ports.reading.Reading`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notification(self, principal: Principal, notification_id: UUID) -> NotificationView | None:
        found = self._notifications(principal, "SELECT %(id)s::uuid", {"id": notification_id})
        return next(iter(found), None)

    def notifications(
        self, principal: Principal, wanted: NotificationFilter, before: UUID | None, limit: int
    ) -> list[NotificationView]:
        parameters = {**asdict(wanted), "before": before, "limit": limit}
        return self._notifications(principal, statement("notification_page"), parameters)

    def dead_letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView | None:
        found = self._dead_letters(principal, id=dead_letter_id, fingerprint=None, before=None, limit=1)
        return next(iter(found), None)

    def dead_letters(
        self, principal: Principal, fingerprint: str | None, before: UUID | None, limit: int
    ) -> list[DeadLetterView]:
        return self._dead_letters(principal, id=None, fingerprint=fingerprint, before=before, limit=limit)

    def _notifications(self, principal: Principal, ids: str, parameters: dict[str, Any]) -> list[NotificationView]:
        """The notifications whose ids the query ``ids`` gives, in one trip."""
        text = AS_PROJECT + statement("notification").replace("/* ids */", ids)
        rows = self._database.run(text, _caller(principal) | parameters)
        return [_notification(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]

    def _dead_letters(self, principal: Principal, **parameters: Any) -> list[DeadLetterView]:
        rows = self._database.run(AS_PROJECT + statement("dead_letter_page"), _caller(principal) | parameters)
        return [replace(DeadLetterView(*row), status=Status(row[-1])) for row in rows]


def _caller(principal: Principal) -> dict[str, Any]:
    return {"project_id": principal.project_id, "live": principal.mode is Mode.LIVE}


def _notification(rows: list[Row]) -> NotificationView:
    head = rows[0]
    deliveries = groupby(rows, key=lambda row: row[_DELIVERY])
    return NotificationView(
        notification_id=head[0],
        message_class=head[1],
        priority=head[2],
        live=head[3],
        to=head[4],
        content=head[5],
        send_at=head[6],
        expires_at=head[7],
        delivery_mode=head[8],
        reference=head[9],
        tags=tuple(head[10]),
        metadata=head[11],
        created_at=head[12],
        deliveries=tuple(_delivery(list(group)) for _, group in deliveries),
    )


def _delivery(rows: list[Row]) -> DeliveryView:
    columns = rows[0][_DELIVERY:_ATTEMPT]
    identifier, channel, provider, status, destination, due_at, attempt_no, spent, *rest = columns
    reason, message_id, changed_at, history = rest
    return DeliveryView(
        identifier,
        channel,
        provider,
        Status(status),
        destination,
        due_at,
        attempt_no,
        spent,
        reason,
        message_id,
        changed_at,
        tuple(history),
        tuple(_attempts(rows)),
    )


def _attempts(rows: Iterable[Row]) -> Iterable[AttemptView]:
    return (AttemptView(*row[_ATTEMPT:]) for row in rows if row[_ATTEMPT] is not None)
