"""What the API reads back: one shape for a notification, whether it was just planned or comes from the rows.

The views of notifications are not frozen: a frozen instance takes three times as long to make (each field goes through
``object.__setattr__``), and a batch makes two hundred of them while its caller waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nofy.domain.dead_letters import Standing

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.lifecycle import Status
    from nofy.domain.notification import Principal
    from nofy.domain.statistics import Range
    from nofy.ports.statistics import StatisticsView


@dataclass(slots=True)
class AttemptView:
    """One try; ``report`` is its outcome and decision, flat, once they are known."""

    attempt_no: int
    due_at: datetime
    dispatched_at: datetime
    leased_at: datetime
    report: dict[str, Any] | None
    acknowledged_at: datetime | None


@dataclass(slots=True)
class DeliveryView:
    """A delivery as the API shows it; ``content`` is what its channel shows, where one notification was asked for."""

    delivery_id: UUID
    channel: str
    provider: str
    status: Status
    destination: str
    due_at: datetime
    attempt_no: int
    spent: int
    reason: str | None
    provider_message_id: str | None
    changed_at: datetime
    history: tuple[dict[str, Any], ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    content: dict[str, Any] | None = None


@dataclass(slots=True)
class NotificationView:
    """A notification with its deliveries, as the API shows it."""

    notification_id: UUID
    message_class: str
    priority: str
    live: bool
    to: dict[str, Any]
    content: dict[str, Any]
    send_at: datetime
    expires_at: datetime
    delivery_mode: str
    reference: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    created_at: datetime
    deliveries: tuple[DeliveryView, ...]


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """A delivery that ended in failure, as the API shows it."""

    dead_letter_id: UUID
    reason: str
    fingerprint: str
    attempt_no: int
    created_at: datetime
    redriven_at: datetime | None
    discarded_at: datetime | None
    discard_reason: str | None
    previous: UUID | None  # the dead letter that this delivery was redriven from before it failed again
    delivery_id: UUID
    notification_id: UUID
    channel: str
    destination: str
    redrive_no: int
    status: Status

    @property
    def standing(self) -> Standing:
        if self.discarded_at:
            return Standing.DISCARDED
        return Standing.REDRIVEN if self.redriven_at else Standing.OPEN


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters are meant; None does not filter."""

    standing: Standing | None = None
    channel: str | None = None
    fingerprint: str | None = None
    ids: tuple[UUID, ...] | None = None
    created_before: datetime | None = None
    notification_id: UUID | None = None


ANY_DEAD_LETTER = DeadLetterFilter()


@dataclass(frozen=True, slots=True)
class DeadLetterGroupView:
    """Dead letters with one fingerprint, and the latest of them."""

    fingerprint: str
    letters: int
    open: int
    first_seen: datetime
    last_seen: datetime
    latest_id: UUID
    latest_reason: str
    latest_channel: str


@dataclass(frozen=True, slots=True)
class RedrivePreview:
    """What a redrive would find: of the open letters that are meant, those it could send again, and to whom.

    ``past_expiry`` of them would get a new lifetime. ``sample`` has a few of the recipients as (channel, address).
    """

    matching: int
    redrivable: int
    past_expiry: int
    recipients: int
    sample: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications to list; None does not filter. ``since`` and ``until`` speak of their birth.

    ``status``, ``channel`` and ``recipient`` ask about any one delivery: that it is all of these.
    """

    status: str | None = None
    channel: str | None = None
    priority: str | None = None
    reference: str | None = None
    tag: str | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of notifications, newest first, and the id before which the next one begins; None at the end.

    Looking for what is rare ends somewhere: a page may be short, or empty, and not the last.
    """

    views: tuple[NotificationView, ...]
    more: UUID | None


class Reading(Protocol):
    """The API's reads, each within the caller's project. Pages are newest first, from before an id."""

    def notification(self, principal: Principal, notification_id: UUID) -> NotificationView | None: ...

    def notifications(
        self, principal: Principal, wanted: NotificationFilter, before: UUID | None, limit: int
    ) -> Listed: ...

    def dead_letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView | None: ...

    def dead_letters(
        self, principal: Principal, wanted: DeadLetterFilter | None, before: UUID | None, limit: int
    ) -> list[DeadLetterView]: ...

    def dead_letter_groups(self, principal: Principal, before: UUID | None, limit: int) -> list[DeadLetterGroupView]:
        """Groups by their latest letter, whose id is where the next page starts from."""

    def redrive_preview(self, principal: Principal, wanted: DeadLetterFilter, sample: int) -> RedrivePreview: ...

    def statistics(self, principal: Principal, span: Range) -> StatisticsView:
        """What happened in so long, and where things are now; its cost does not grow with the notifications."""
