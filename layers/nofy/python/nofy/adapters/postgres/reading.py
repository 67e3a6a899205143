"""The API's reads."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.statistics import MOST_COUNTED, statistics_view
from nofy.domain.ids import floor_of
from nofy.domain.lifecycle import Status
from nofy.domain.tokens import Mode
from nofy.ports.reading import (
    ANY_DEAD_LETTER,
    AttemptView,
    DeadLetterFilter,
    DeadLetterGroupView,
    DeadLetterView,
    DeliveryView,
    Listed,
    NotificationFilter,
    NotificationView,
    RedrivePreview,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.notification import Principal
    from nofy.domain.statistics import Range
    from nofy.ports.statistics import StatisticsView

Row = tuple[Any, ...]

# Columns of notification.sql: thirteen of the notification, thirteen of the delivery, six of the attempt.
_DELIVERY, _ATTEMPT = 13, 26

# A page looks at so many candidates and then says where to go on: what it costs does not grow with history.
BUDGET = 10_000
# What migrations/0012_list_filters.sql indexes: the ends that are looked for, and are rare. Others are met soon.
INDEXED = frozenset(
    {Status.RETRYING, Status.HELD, Status.FAILED, Status.UNKNOWN, Status.UNDELIVERED, Status.EXPIRED, Status.CANCELLED}
)

# Row-level security sees the project for the length of the trip in which this travels.
AS_PROJECT = "SELECT set_config('nofy.project_id', %(project_id)s::text, true);"


class PostgresReading:
    """Implements :class:`nofy.ports.reading.Reading`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notification(self, principal: Principal, notification_id: UUID) -> NotificationView | None:
        found = self._notifications(principal, "SELECT %(id)s::uuid", {"id": notification_id, "whole": True})
        return next(iter(found), None)

    def notifications(
        self, principal: Principal, wanted: NotificationFilter, before: UUID | None, limit: int
    ) -> Listed:
        parameters = {**asdict(wanted), **_bounds(wanted, before), "limit": limit + 1, "budget": BUDGET}
        page, candidates = _source(wanted)
        page = page.replace("/* candidates */", candidates)
        last = statement("last_candidate").replace("/* candidates */", candidates)
        found = self._notifications(principal, page, parameters)
        if len(found) > limit:
            return Listed(tuple(found[:limit]), found[limit - 1].notification_id)
        stopped = self._database.run(AS_PROJECT + last, _caller(principal) | parameters)
        return Listed(tuple(found), stopped[0][0] if stopped else None)

    def dead_letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView | None:
        found = self.dead_letters(principal, DeadLetterFilter(ids=(dead_letter_id,)), None, 1)
        return next(iter(found), None)

    def dead_letters(
        self, principal: Principal, wanted: DeadLetterFilter | None, before: UUID | None, limit: int
    ) -> list[DeadLetterView]:
        parameters = filter_parameters(principal, wanted or ANY_DEAD_LETTER) | {"before": before, "limit": limit}
        rows = self._database.run(AS_PROJECT + filtered("dead_letter_page"), parameters)
        return [replace(DeadLetterView(*row), status=Status(row[-1])) for row in rows]

    def dead_letter_groups(self, principal: Principal, before: UUID | None, limit: int) -> list[DeadLetterGroupView]:
        parameters = _caller(principal) | {"before": before, "limit": limit}
        rows = self._database.run(AS_PROJECT + statement("dead_letter_groups"), parameters)
        return [DeadLetterGroupView(*row) for row in rows]

    def redrive_preview(self, principal: Principal, wanted: DeadLetterFilter, sample: int) -> RedrivePreview:
        parameters = filter_parameters(principal, wanted) | {"sample": sample}
        rows = self._database.run(AS_PROJECT + filtered("redrive_preview"), parameters)
        matching, redrivable, past_expiry, recipients, reached = rows[0]
        few = tuple((channel, address) for channel, address in reached)
        return RedrivePreview(matching, redrivable, past_expiry, recipients, few)

    def statistics(self, principal: Principal, span: Range) -> StatisticsView:
        parameters = {"step": span.step_seconds, "buckets": span.buckets, "most": MOST_COUNTED}
        rows = self._database.run(AS_PROJECT + statement("statistics"), _caller(principal) | parameters)
        return statistics_view(rows[0])

    def _notifications(self, principal: Principal, ids: str, parameters: dict[str, Any]) -> list[NotificationView]:
        """The notifications whose ids the query ``ids`` gives, in one trip."""
        text = AS_PROJECT + statement("notification").replace("/* ids */", ids)
        rows = self._database.run(text, {"whole": False} | _caller(principal) | parameters)
        return [_notification(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]


def _source(wanted: NotificationFilter) -> tuple[str, str]:
    """The query of a page and its candidates, by whichever index leads to few of them."""
    if wanted.recipient is not None or wanted.status in INDEXED:
        return statement("notification_page_by_delivery"), statement("notification_candidates_by_delivery")
    return statement("notification_page"), statement("notification_candidates")


def _bounds(wanted: NotificationFilter, before: UUID | None) -> dict[str, UUID | None]:
    """Ids are born with their notifications, so that a time range is a range of the primary key."""
    ends = [each for each in (before, _floor(wanted.until)) if each is not None]
    return {"before": min(ends, default=None), "since": _floor(wanted.since)}


def _floor(moment: datetime | None) -> UUID | None:
    return None if moment is None else floor_of(moment)


def _caller(principal: Principal) -> dict[str, Any]:
    return {"project_id": principal.project_id, "live": principal.mode is Mode.LIVE}


def filtered(query: str) -> str:
    """A query about dead letters with the one filter that all of them share."""
    return statement(query).replace("/* filter */", statement("dead_letter_filter"))


def filter_parameters(principal: Principal, wanted: DeadLetterFilter) -> dict[str, Any]:
    """What ``dead_letter_filter.sql`` takes."""
    return _caller(principal) | {
        "ids": None if wanted.ids is None else list(wanted.ids),
        "fingerprint": wanted.fingerprint,
        "channel": wanted.channel,
        "created_before": wanted.created_before,
        "notification_id": wanted.notification_id,
        "status": wanted.standing,
    }


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
    reason, message_id, changed_at, history, content = rest
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
        content,
    )


def _attempts(rows: Iterable[Row]) -> Iterable[AttemptView]:
    return (AttemptView(*row[_ATTEMPT:]) for row in rows if row[_ATTEMPT] is not None)
