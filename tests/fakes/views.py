"""What the API reads back, made of the fake's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain.dead_letters import Standing
from nofy.domain.delivery import report_to_json
from nofy.domain.ids import floor_of
from nofy.domain.tokens import Mode
from nofy.ports.reading import (
    AttemptView,
    DeadLetterFilter,
    DeadLetterGroupView,
    DeadLetterView,
    DeliveryView,
    NotificationFilter,
    NotificationView,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from nofy.domain.notification import Principal
    from tests.fakes.tables import AttemptRow, DeadLetterRow, DeliveryRow, NotificationRow, Tables


def notification(tables: Tables, principal: Principal, notification_id: UUID) -> NotificationRow | None:
    """The row, if it is the caller's: of their project, and made with a token of the same mode."""
    row = tables.notifications.get(notification_id)
    mine = row and row.project_id == principal.project_id and row.live is (principal.mode is Mode.LIVE)
    return row if mine else None


def dead_letters(tables: Tables, principal: Principal) -> Iterator[tuple[DeadLetterRow, DeliveryRow]]:
    for letter in tables.dead_letters:
        row = tables.deliveries.get(letter.letter.delivery_id) if letter.letter.delivery_id else None
        if row and row.project_id == principal.project_id and row.live is (principal.mode is Mode.LIVE):
            yield letter, row


def meant(view: DeadLetterView, wanted: DeadLetterFilter) -> bool:
    return (
        wanted.standing in (None, view.standing)
        and wanted.channel in (None, view.channel)
        and wanted.fingerprint in (None, view.fingerprint)
        and (wanted.ids is None or view.dead_letter_id in wanted.ids)
        and wanted.notification_id in (None, view.notification_id)
        and (wanted.created_before is None or view.created_at < wanted.created_before)
    )


def group(letters: list[DeadLetterView]) -> DeadLetterGroupView:
    """Of letters with one fingerprint."""
    latest = max(letters, key=lambda each: each.dead_letter_id)
    times = [each.created_at for each in letters]
    return DeadLetterGroupView(
        latest.fingerprint,
        len(letters),
        sum(each.standing is Standing.OPEN for each in letters),
        min(times),
        max(times),
        latest.dead_letter_id,
        latest.reason,
        latest.channel,
    )


def matches(view: NotificationView, wanted: NotificationFilter) -> bool:
    return (
        wanted.reference in (None, view.reference)
        and wanted.priority in (None, view.priority)
        and (wanted.tag is None or wanted.tag in view.tags)
        and (wanted.since is None or view.notification_id >= floor_of(wanted.since))
        and (wanted.until is None or view.notification_id < floor_of(wanted.until))
        and any(
            wanted.status in (None, each.status)
            and wanted.channel in (None, each.channel)
            and wanted.recipient in (None, each.destination)
            for each in view.deliveries
        )
    )


def notification_view(tables: Tables, row: NotificationRow) -> NotificationView:
    planned, draft = row.planned, row.planned.draft
    deliveries = [tables.deliveries[each.delivery_id] for each in planned.deliveries]
    return NotificationView(
        notification_id=planned.notification_id,
        message_class=draft.message_class,
        priority=planned.priority,
        live=row.live,
        to=draft.to,
        content=draft.content,
        send_at=row.send_at,
        expires_at=row.expires_at,
        delivery_mode=draft.delivery_mode,
        reference=draft.reference,
        tags=draft.tags,
        metadata=draft.metadata,
        created_at=planned.created_at,
        deliveries=tuple(map(delivery_view, deliveries)),
    )


def delivery_view(row: DeliveryRow) -> DeliveryView:
    return DeliveryView(
        delivery_id=row.planned.delivery_id,
        channel=row.planned.lane.channel,
        provider=row.planned.provider,
        status=row.status,
        destination=row.planned.destination,
        due_at=row.due_at,
        attempt_no=row.attempt_no,
        spent=row.spent,
        reason=row.reason,
        provider_message_id=row.provider_message_id,
        changed_at=row.changed_at,
        history=tuple(row.history),
        attempts=tuple(_attempt_view(number, attempt) for number, attempt in sorted(row.attempts.items())),
        content=row.planned.content,
    )


def _attempt_view(number: int, attempt: AttemptRow) -> AttemptView:
    return AttemptView(
        number,
        attempt.due_at,
        attempt.dispatched_at,
        attempt.leased_at,
        report_to_json(attempt.report) if attempt.report else None,
        attempt.acknowledged_at,
    )


def dead_letter_view(tables: Tables, row: DeadLetterRow, delivery: DeliveryRow) -> DeadLetterView:
    planned = delivery.planned
    return DeadLetterView(
        row.dead_letter_id,
        row.letter.reason,
        row.letter.fingerprint,
        row.letter.attempt_no or 0,
        row.created_at,
        row.redriven_at,
        row.discarded_at,
        row.discard_reason,
        _previous(tables, row),
        planned.delivery_id,
        delivery.notification.notification_id,
        planned.lane.channel,
        planned.destination,
        delivery.redrive_no,
        delivery.status,
    )


def _previous(tables: Tables, row: DeadLetterRow) -> UUID | None:
    mine = row.letter
    earlier = [
        (each.letter.attempt_no, each.dead_letter_id)
        for each in tables.dead_letters
        if each.letter.delivery_id == mine.delivery_id and (each.letter.attempt_no or 0) < (mine.attempt_no or 0)
    ]
    return max(earlier)[1] if earlier else None
