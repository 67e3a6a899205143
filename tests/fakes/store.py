"""PostgreSQL in memory: every part of the store over one shared state, one method a statement.

Statuses change through the domain's own transition table, so a statement that the fake may do and the table forbids
cannot exist; ``tests/contract`` says that the SQL does the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.delivery import Change, Fence, Leased, Report, State, Waiting
from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError, NofyError
from nofy.domain.ids import born
from nofy.domain.lifecycle import LEASABLE, WAITING, Event, Status, allowed
from nofy.domain.notification import DEFAULT_LIFETIME, Integration, PlannedNotification, Principal
from nofy.domain.outcomes import Accepted, Unknown
from nofy.domain.retry import Tried
from nofy.domain.routing import IDEMPOTENT
from nofy.domain.timing import MOST_REQUEUES
from nofy.domain.tokens import Mode
from nofy.ports.store import Backlog, IdempotencyClaim, IndexProgress, Overdue, Queued, Stuck
from tests.fakes import views
from tests.fakes.clock import CountingIds
from tests.fakes.tables import (
    Answered,
    AttemptRow,
    DeadLetterRow,
    DeliveryRow,
    IntegrationRow,
    KeyRow,
    NotificationRow,
    Tables,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from nofy.domain.records import QueueRecord
    from nofy.ports.clock import Clock
    from nofy.ports.reading import DeadLetterView, NotificationFilter, NotificationView
    from nofy.ports.schedule import Entry

KEY_LIFETIME = timedelta(hours=24)
UNBURIED_AFTER = 60


class MemoryStore:
    """Implements Acceptances, Amendments, Dispatches, Leases, Outcomes, Burials, Upkeep and Reading."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._new_id = CountingIds(clock)
        self.tables = Tables()

    # What an operator and a person do; no port has these (yet).

    def add_key(self, token_hash: bytes, principal: Principal) -> None:
        self.tables.keys[token_hash] = KeyRow(principal.project_id, principal.key_id, principal.mode)
        for each in principal.integrations:
            self.tables.integrations[each.integration_id] = IntegrationRow(principal.project_id, each)

    def revoke(self, token_hash: bytes) -> None:
        self.tables.keys[token_hash].revoked = True

    def mend(self, integration_id: UUID) -> None:
        """A new credential: another version, so what the old one was held for is over."""
        self.tables.integrations[integration_id].credential_version += 1

    def vanish(self, delivery_id: UUID) -> None:
        """What must never happen."""
        del self.tables.deliveries[delivery_id]

    # Acceptances

    def principal(self, token_hash: bytes) -> Principal | None:
        key = self.tables.keys.get(token_hash)
        if key is None or key.revoked:
            return None
        return Principal(key.project_id, key.key_id, key.mode, tuple(self._integrations_of(key.project_id)))

    def _integrations_of(self, project_id: UUID) -> Iterator[Integration]:
        return (each.integration for each in self.tables.integrations.values() if each.project_id == project_id)

    def accept(
        self,
        principal: Principal,
        planned: Sequence[PlannedNotification],
        claim: IdempotencyClaim | None = None,
    ) -> dict[str, Any] | None:
        if claim and (answer := self._earlier_answer(principal, claim)) is not None:
            return answer
        self._refuse_known_ids(planned)
        for each in planned:
            self._insert(principal, each)
        if claim:
            self.tables.answers[principal.project_id, principal.mode, claim.key] = Answered(claim, self._clock())
        return None

    def _earlier_answer(self, principal: Principal, claim: IdempotencyClaim) -> dict[str, Any] | None:
        key = (principal.project_id, principal.mode, claim.key)
        if key in self.tables.in_flight:
            raise ConflictError("idempotency_key_in_flight", "a request with this key is being worked on", 1)
        known = self.tables.answers.get(key)
        if known is None or known.at < self._clock() - KEY_LIFETIME:
            return None
        if known.claim.request_hash != claim.request_hash:
            raise IdempotencyKeyReusedError("this key came with another body before")
        return known.claim.answer

    def _refuse_known_ids(self, planned: Sequence[PlannedNotification]) -> None:
        ids = [each.delivery_id for notification in planned for each in notification.deliveries]
        ids += [each.notification_id for each in planned]
        if len(set(ids)) < len(ids) or any(i in self.tables.deliveries or i in self.tables.notifications for i in ids):
            raise NofyError("duplicate id")

    def _insert(self, principal: Principal, planned: PlannedNotification) -> None:
        live = principal.mode is Mode.LIVE
        self.tables.notifications[planned.notification_id] = NotificationRow(
            principal.project_id, live, planned, planned.send_at, planned.expires_at
        )
        for each in planned.deliveries:
            self.tables.deliveries[each.delivery_id] = DeliveryRow(
                principal.project_id, live, planned, each, planned.send_at, planned.expires_at, planned.created_at
            )
            self.tables.accepted += 1

    # Dispatches

    def waiting(self, ids: Sequence[UUID]) -> list[Waiting]:
        return [self._waiting(row) for row in self._rows(ids) if row.status in WAITING]

    def _waiting(self, row: DeliveryRow) -> Waiting:
        held = self._integration(row).held
        planned = row.planned
        return Waiting(row.fence, row.project_id, planned.lane, planned.destination, row.expires_at, held)

    def mark_queued(self, queued: Sequence[Queued]) -> None:
        for each in queued:
            for row in self._fenced([each.fence], WAITING):
                row.advance(Event.DISPATCHED, self._clock())
                row.queued_at = (each.partition, each.offset)

    def hold(self, fences: Sequence[Fence]) -> None:
        for row in self._fenced(fences, WAITING):
            row.advance(Event.HELD, self._clock())
            row.reason = "its integration is held: the provider refused the credential"

    def expire(self, fences: Sequence[Fence]) -> None:
        for row in self._fenced(fences, WAITING):
            row.advance(Event.EXPIRED, self._clock())
            row.reason = "expired before it could be sent"

    # Leases

    def lease(self, records: Sequence[QueueRecord], seconds: int) -> list[Leased]:
        return [self._lease(row, each, seconds) for each in records for row in self._fenced([each.fence], LEASABLE)]

    def _lease(self, row: DeliveryRow, record: QueueRecord, seconds: int) -> Leased:
        now = self._clock()
        integration = self._integration(row)
        row.advance(Event.LEASED, now)
        until = now + timedelta(seconds=seconds)
        version = integration.credential_version
        row.attempts[row.attempt_no] = AttemptRow(row.due_at, record.dispatched_at, now, until, version, row.redrive_no)
        return _leased(row, integration)

    def hang_up(self) -> None:
        """Memory has no connection to let go of."""

    def keep_reports(self, reports: Sequence[Report]) -> None:
        for each in reports:
            attempt = self._attempt(each)
            if attempt and attempt.acknowledged_at is None:
                attempt.report = each
                attempt.lease_until = self._clock()

    # Outcomes

    def states(self, ids: Sequence[UUID]) -> dict[UUID, State]:
        return {row.planned.delivery_id: row.state for row in self._rows(ids)}

    def apply(self, changes: Sequence[Change]) -> set[UUID]:
        applied = [each for each in changes if self._apply(each)]
        return {each.before.delivery_id for each in applied}

    def _apply(self, change: Change) -> bool:
        before, after = change.before, change.after
        fence = Fence(before.delivery_id, before.attempt_no, before.due_at)
        for row in self._fenced([fence], frozenset({before.status})):
            if (before.status, before.attempt_no) != (after.status, after.attempt_no):  # else it is no progress
                row.become(after.status, self._clock())
            row.attempt_no, row.spent, row.due_at = after.attempt_no, after.spent, after.due_at
            row.provider_message_id, row.reason = after.provider_message_id, after.reason
            self._hold_integration(row, change.held_credential)
            for each in sorted(change.reports, key=lambda report: not isinstance(report.outcome, Accepted)):
                self._acknowledge(each)
            return True
        return False

    def _hold_integration(self, row: DeliveryRow, refused: int | None) -> None:
        integration = self._integration(row)
        if integration.credential_version == refused:
            integration.held_version = refused

    def _acknowledge(self, report: Report) -> None:
        attempt = self._attempt(report)
        if attempt is None:
            return
        truer = isinstance(report.outcome, Accepted) and attempt.report and isinstance(attempt.report.outcome, Unknown)
        if attempt.acknowledged_at is None or truer:
            attempt.report = report
            attempt.acknowledged_at = self._clock()

    # Burials

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        for each in letters:
            if not self._buried(each):
                row = self.tables.deliveries.get(each.delivery_id) if each.delivery_id else None
                project_id = row.project_id if row else None
                self.tables.dead_letters.append(DeadLetterRow(self._new_id(), project_id, each, self._clock()))

    def _buried(self, letter: DeadLetter) -> bool:
        return any(row.tells(letter) for row in self.tables.dead_letters)

    # Upkeep

    def index_progress(self) -> IndexProgress | None:
        return self.tables.progress

    def save_index_progress(self, progress: IndexProgress) -> None:
        self.tables.progress = progress

    def waiting_between(self, after: datetime | None, until: datetime, limit: int) -> list[Entry]:
        found = [e for e in self._entries() if e.due_at <= until and (after is None or e.due_at > after)]
        found.sort(key=lambda each: each.due_at)
        return [each for each in found if len(found) <= limit or each.due_at <= found[limit - 1].due_at]

    def accepted_since(self, since: datetime, until: datetime) -> list[Entry]:
        return [each for each in self._entries() if born(each.delivery_id) >= since and each.due_at <= until]

    def _entries(self) -> Iterator[Entry]:
        return (row.entry for row in self.tables.deliveries.values() if row.status in WAITING)

    def expired_leases(self, limit: int) -> list[Overdue]:
        now = self._clock()
        found = [
            (attempt.lease_until, _overdue(row, attempt))
            for row in self._of(Status.SENDING)
            if (attempt := row.attempts[row.attempt_no]).lease_until < now
        ]
        return [each for _, each in sorted(found, key=lambda pair: pair[0])][:limit]

    def stuck_queued(self, older_than_seconds: int, limit: int) -> list[Stuck]:
        found = [row for row in self._of(Status.QUEUED) if row.rests(older_than_seconds, self._clock())]
        found.sort(key=lambda row: row.changed_at)
        return [Stuck(row.fence, row.planned.lane, *row.queued_at) for row in found[:limit] if row.queued_at]

    def requeue(self, fences: Sequence[Fence]) -> list[Entry]:
        moved = list(self._fenced(fences, frozenset({Status.QUEUED})))
        for row in moved:
            often = sum(each["event"] == Event.REQUEUED for each in row.history) >= MOST_REQUEUES
            row.advance(Event.GIVEN_UP if often else Event.REQUEUED, self._clock())
            row.note(Event.REQUEUED, self._clock())
            row.reason = "its records were lost in Kafka again and again" if often else row.reason
        return [row.entry for row in moved if row.status is Status.SCHEDULED]

    def release_held(self, limit: int) -> list[Entry]:
        released = [row for row in self._of(Status.HELD) if not self._integration(row).held][:limit]
        for row in released:
            row.advance(Event.RELEASED, self._clock())
            row.note(Event.RELEASED, self._clock())
        return [row.entry for row in released]

    def expire_held(self, limit: int) -> int:
        now = self._clock()
        ended = [row for row in self._of(Status.HELD) if row.expires_at <= now][:limit]
        for row in ended:
            row.advance(Event.EXPIRED, now)
            row.reason = "expired while its integration was held"
        return len(ended)

    def unburied(self, limit: int) -> list[DeadLetter]:
        failed = [row for row in self._of(Status.FAILED) if row.rests(UNBURIED_AFTER, self._clock())]
        failed.sort(key=lambda row: row.changed_at)
        letters = [
            DeadLetter(Kind.DELIVERY, row.reason or "failed", row.planned.delivery_id, row.attempt_no) for row in failed
        ]
        return [each for each in letters if not self._buried(each)][:limit]

    def ensure_partitions(self, ahead_days: int) -> None:
        """Memory has none."""

    def lost(self, overdue_seconds: int) -> int:
        now = self._clock()
        overdue = now - timedelta(seconds=overdue_seconds)
        idle = [row for row in self._of(*WAITING) if row.due_at < overdue and row.rests(overdue_seconds, now)]
        return max(0, self.tables.accepted - len(self.tables.deliveries)) + len(idle)

    def backlog(self) -> Backlog:
        now = self._clock()
        waiting = [(now - row.changed_at) // timedelta(seconds=1) for row in self._of(Status.QUEUED)]
        return Backlog(max(waiting, default=0), sum(each.held for each in self.tables.integrations.values()))

    # Amendments

    def cancel(self, principal: Principal, notification_id: UUID) -> list[Entry]:
        rows = self._amendable(principal, notification_id, Event.CANCELLED)
        for row in rows:
            row.advance(Event.CANCELLED, self._clock())
            row.reason = "cancelled by its sender"
        return [row.entry for row in rows]

    def move(self, principal: Principal, notification_id: UUID, send_at: datetime, expires_at: datetime) -> list[Entry]:
        rows = self._amendable(principal, notification_id, Event.MOVED)
        for row in rows:
            row.note(Event.MOVED, self._clock(), f"from {row.due_at.isoformat()}")
            row.advance(Event.MOVED, self._clock())
            row.due_at, row.expires_at = send_at, expires_at
        if rows:
            told = self.tables.notifications[notification_id]
            told.send_at, told.expires_at = send_at, expires_at
        return [row.entry for row in rows]

    def redrive(self, principal: Principal, dead_letter_id: UUID) -> list[Entry]:
        for letter, row in views.dead_letters(self.tables, principal):
            known = letter.dead_letter_id == dead_letter_id and letter.redriven_at is None
            if known and allowed(row.status, Event.REDRIVEN):
                letter.redriven_at = self._clock()
                _redrive(row, self._clock())
                return [row.entry]
        return []

    def _amendable(self, principal: Principal, notification_id: UUID, event: Event) -> list[DeliveryRow]:
        found = views.notification(self.tables, principal, notification_id)
        rows = self._rows([each.delivery_id for each in found.planned.deliveries]) if found else []
        return [row for row in rows if allowed(row.status, event)]

    # Reading

    def notification(self, principal: Principal, notification_id: UUID) -> NotificationView | None:
        found = views.notification(self.tables, principal, notification_id)
        return views.notification_view(self.tables, found) if found else None

    def notifications(
        self, principal: Principal, wanted: NotificationFilter, before: UUID | None, limit: int
    ) -> list[NotificationView]:
        found = sorted(self.tables.notifications, reverse=True)
        page = [self.notification(principal, each) for each in found if before is None or each < before]
        return [each for each in page if each and views.matches(each, wanted)][:limit]

    def dead_letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView | None:
        page = self.dead_letters(principal, None, None, len(self.tables.dead_letters))
        return next((each for each in page if each.dead_letter_id == dead_letter_id), None)

    def dead_letters(
        self, principal: Principal, fingerprint: str | None, before: UUID | None, limit: int
    ) -> list[DeadLetterView]:
        found = [
            views.dead_letter_view(letter, row)
            for letter, row in views.dead_letters(self.tables, principal)
            if fingerprint in (None, letter.letter.fingerprint) and (before is None or letter.dead_letter_id < before)
        ]
        return sorted(found, key=lambda each: each.dead_letter_id, reverse=True)[:limit]

    # Rows

    def _rows(self, ids: Sequence[UUID]) -> list[DeliveryRow]:
        return [self.tables.deliveries[each] for each in dict.fromkeys(ids) if each in self.tables.deliveries]

    def _fenced(self, fences: Sequence[Fence], statuses: frozenset[Status]) -> Iterator[DeliveryRow]:
        for fence in fences:
            row = self.tables.deliveries.get(fence.delivery_id)
            if row and row.fence == fence and row.status in statuses:
                yield row

    def _of(self, *statuses: Status) -> list[DeliveryRow]:
        return [row for row in self.tables.deliveries.values() if row.status in statuses]

    def _integration(self, row: DeliveryRow) -> IntegrationRow:
        return self.tables.integrations[row.planned.integration_id]

    def _attempt(self, report: Report) -> AttemptRow | None:
        row = self.tables.deliveries.get(report.delivery_id)
        return row.attempts.get(report.attempt_no) if row else None


def _redrive(row: DeliveryRow, now: datetime) -> None:
    row.note(Event.REDRIVEN, now, f"after: {row.reason or 'failed'}")
    row.advance(Event.REDRIVEN, now)
    row.attempt_no, row.redrive_no, row.spent = row.attempt_no + 1, row.redrive_no + 1, 0
    row.due_at, row.expires_at, row.reason = now, max(row.expires_at, now + DEFAULT_LIFETIME), None


def _leased(row: DeliveryRow, integration: IntegrationRow) -> Leased:
    notification, planned = row.notification, row.planned
    return Leased(
        fence=row.fence,
        project_id=row.project_id,
        notification_id=notification.notification_id,
        integration_id=planned.integration_id,
        channel=planned.lane.channel,
        provider=planned.provider,
        priority=planned.lane.priority,
        destination=planned.destination,
        content=planned.content,
        settings=integration.integration.settings,
        credential=integration.credential,
        credential_version=integration.credential_version,
        delivery_mode=notification.draft.delivery_mode,
        expires_at=row.expires_at,
        spent=row.spent,
        redrive_no=row.redrive_no,
        live=row.live,
        in_doubt_since=row.in_doubt_since,
    )


def _overdue(row: DeliveryRow, attempt: AttemptRow) -> Overdue:
    notification, lane = row.notification, row.planned.lane
    idempotent = row.planned.provider in IDEMPOTENT
    mode = notification.draft.delivery_mode
    tried = Tried(row.spent, lane.priority, mode, row.expires_at, idempotent, row.in_doubt_since)
    return Overdue(row.planned.delivery_id, row.attempt_no, tried, attempt.credential_version, attempt.report)
