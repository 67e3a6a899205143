"""Accept: the row is the promise, the index is a convenience."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import ConflictError, ScheduleUnavailableError
from nofy.domain.notification import Draft
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, MessageClass, Priority
from nofy.domain.timing import ACCEPT_WINDOW
from nofy.ports.schedule import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.notification import PlannedNotification, Principal
    from nofy.ports.clock import Clock
    from nofy.ports.reading import NotificationView
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Acceptances, IdempotencyClaim

log = logging.getLogger(__name__)


def accept(
    principal: Principal,
    planned: Sequence[PlannedNotification],
    claim: IdempotencyClaim | None,
    *,
    store: Acceptances,
    schedule: Schedule,
    clock: Clock,
) -> dict[str, Any] | None:
    """Store all of it, then index what is due soon. Returns the earlier answer if this was a replay.

    The index comes after the commit: an id in Redis without a row would be work that does not exist, while a
    row without an id in Redis is found by the reconciler. So Redis being down does not fail the request.
    """
    replay = store.accept(principal, planned, claim)
    if replay is None:
        _index(principal, planned, schedule, clock)
    return replay


def again(view: NotificationView) -> Draft:
    """What asks for the same notification once more: its content and recipients, due at once, for the usual time.

    Raises ConflictError where its content was erased: there is nothing left to send.
    """
    if not view.content:
        raise ConflictError("content_erased", "its content was erased, so there is nothing to send again")
    return Draft(
        to=view.to,
        channels=tuple(Channel(each.channel) for each in view.deliveries),
        content=view.content,
        message_class=MessageClass(view.message_class),
        priority=Priority(view.priority),
        delivery_mode=DeliveryMode(view.delivery_mode),
        reference=view.reference,
        tags=view.tags,
        metadata=view.metadata,
    )


def _index(principal: Principal, planned: Sequence[PlannedNotification], schedule: Schedule, clock: Clock) -> None:
    now = clock()
    horizon = now + timedelta(seconds=ACCEPT_WINDOW)
    entries = [
        Entry(delivery.lane, principal.project_id, delivery.delivery_id, notification.send_at)
        for notification in planned
        for delivery in notification.deliveries
        if notification.send_at <= horizon
    ]
    try:
        schedule.add(entries, now)
    except ScheduleUnavailableError:
        log.warning("not indexed; the reconciler will", extra={"deliveries": len(entries)}, exc_info=True)
