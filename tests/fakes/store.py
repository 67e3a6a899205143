"""PostgreSQL in memory: every part of the store over one shared state, one method a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.delivery import Change, Fence, Leased, Report, State, Waiting, report_to_json
from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError, NofyError
from nofy.domain.ids import born
from nofy.domain.lifecycle import LEASABLE, WAITING, Event, Status, allowed
from nofy.domain.notification import Integration, PlannedDelivery, PlannedNotification, Principal
from nofy.domain.outcomes import Accepted, Unknown
from nofy.domain.records import QueueRecord
from nofy.domain.retry import Tried
from nofy.domain.tokens import Mode
from nofy.ports.clock import Clock
from nofy.ports.reading import AttemptView, DeliveryView, NotificationView
from nofy.ports.schedule import Entry
from nofy.ports.store import IdempotencyClaim, IndexProgress, Overdue, Queued, Stuck

from tests.fakes.tables import Answered, AttemptRow, DeliveryRow, IntegrationRow, KeyRow, Tables

KEY_LIFETIME = timedelta(hours=24)
UNBURIED_AFTER = 60


class MemoryStore:
    """Implements Acceptances, Dispatches, Leases, Outcomes, Burials, Upkeep and Reading."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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

    def cancel(self, delivery_id: UUID) -> bool:
        row = self.tables.deliveries[delivery_id]
        if not allowed(row.status, Event.CANCELLED):
            return False
        row.advance(Event.CANCELLED, self._clock())
        return True

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
        self.tables.notifications[planned.notification_id] = (principal.project_id, live, planned)
        for each in planned.deliveries:
            self.tables.deliveries[each.delivery_id] = DeliveryRow(
                principal.project_id, live, planned, each, planned.send_at, planned.created_at
            )
            self.tables.accepted += 1

    # Dispatches

    def waiting(self, ids: Sequence[UUID]) -> list[Waiting]:
        return [self._waiting(row) for row in self._rows(ids) if row.status in WAITING]

    def _waiting(self, row: DeliveryRow) -> Waiting:
        held = self._integration(row).held
        planned = row.planned
        expires_at = row.notification.expires_at
        return Waiting(row.fence, row.project_id, planned.lane, planned.destination, expires_at, held)

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
        row.attempts[row.attempt_no] = AttemptRow(row.due_at, record.dispatched_at, now, until, version)
        return _leased(row, integration)

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
            row.become(after.status, self._clock())
            row.attempt_no, row.spent, row.due_at = after.attempt_no, after.spent, after.due_at
            row.provider_message_id, row.reason = after.provider_message_id, after.reason
            self._hold_integration(row, change.held_credential)
            for each in change.reports:
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
            if not any(_same(each, other) for other in self.tables.dead_letters):
                self.tables.dead_letters.append(each)

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
            row.advance(Event.REQUEUED, self._clock())
            row.note("requeued", self._clock())
        return [row.entry for row in moved]

    def release_held(self, limit: int) -> list[Entry]:
        released = [row for row in self._of(Status.HELD) if not self._integration(row).held][:limit]
        for row in released:
            row.advance(Event.RELEASED, self._clock())
            row.note("released", self._clock())
        return [row.entry for row in released]

    def unburied(self, limit: int) -> list[DeadLetter]:
        failed = [row for row in self._of(Status.FAILED) if row.rests(UNBURIED_AFTER, self._clock())]
        failed.sort(key=lambda row: row.changed_at)
        letters = [
            DeadLetter(Kind.DELIVERY, row.reason or "failed", row.planned.delivery_id, row.attempt_no)
            for row in failed
        ]
        return [each for each in letters if not any(_same(each, known) for known in self.tables.dead_letters)][:limit]

    def ensure_partitions(self, ahead_days: int) -> None:
        """Memory has none."""

    def lost(self, overdue_seconds: int) -> int:
        now = self._clock()
        overdue = now - timedelta(seconds=overdue_seconds)
        idle = [row for row in self._of(*WAITING) if row.due_at < overdue and row.rests(overdue_seconds, now)]
        return max(0, self.tables.accepted - len(self.tables.deliveries)) + len(idle)

    # Reading

    def notification(self, principal: Principal, notification_id: UUID) -> NotificationView | None:
        project_id, live, planned = self.tables.notifications.get(notification_id, (None, None, None))
        if planned is None or project_id != principal.project_id or live is not (principal.mode is Mode.LIVE):
            return None
        rows = self._rows([each.delivery_id for each in planned.deliveries])
        return _notification_view(planned, bool(live), tuple(_delivery_view(row) for row in rows))

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
        expires_at=notification.expires_at,
        spent=row.spent,
        redrive_no=row.redrive_no,
        live=row.live,
    )


def _overdue(row: DeliveryRow, attempt: AttemptRow) -> Overdue:
    notification, lane = row.notification, row.planned.lane
    tried = Tried(row.spent, lane.priority, notification.draft.delivery_mode, notification.expires_at)
    return Overdue(row.planned.delivery_id, row.attempt_no, tried, attempt.credential_version, attempt.report)


def _same(one: DeadLetter, other: DeadLetter) -> bool:
    if one.kind is Kind.DELIVERY or other.kind is Kind.DELIVERY:
        return (one.kind, one.delivery_id, one.attempt_no) == (other.kind, other.delivery_id, other.attempt_no)
    return one.source == other.source


def _notification_view(
    planned: PlannedNotification, live: bool, deliveries: tuple[DeliveryView, ...]
) -> NotificationView:
    draft = planned.draft
    return NotificationView(
        notification_id=planned.notification_id,
        message_class=draft.message_class,
        priority=planned.priority,
        live=live,
        to=draft.to,
        content=draft.content,
        send_at=planned.send_at,
        expires_at=planned.expires_at,
        delivery_mode=draft.delivery_mode,
        reference=draft.reference,
        tags=draft.tags,
        metadata=draft.metadata,
        created_at=planned.created_at,
        deliveries=deliveries,
    )


def _delivery_view(row: DeliveryRow) -> DeliveryView:
    planned: PlannedDelivery = row.planned
    return DeliveryView(
        delivery_id=planned.delivery_id,
        channel=planned.lane.channel,
        provider=planned.provider,
        status=row.status,
        destination=planned.destination,
        due_at=row.due_at,
        attempt_no=row.attempt_no,
        spent=row.spent,
        reason=row.reason,
        provider_message_id=row.provider_message_id,
        changed_at=row.changed_at,
        history=tuple(row.history),
        attempts=tuple(_attempt_view(number, attempt) for number, attempt in sorted(row.attempts.items())),
    )


def _attempt_view(number: int, attempt: AttemptRow) -> AttemptView:
    report = report_to_json(attempt.report) if attempt.report else None
    return AttemptView(
        number, attempt.due_at, attempt.dispatched_at, attempt.leased_at, report, attempt.acknowledged_at
    )
