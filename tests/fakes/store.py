"""PostgreSQL in memory: every part of the store over one shared state, one method a statement.

Statuses change through the domain's own transition table, so a statement that the fake may do and the table forbids
cannot exist; ``tests/contract`` says that the SQL does the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Actor, ActorKind, Project
from nofy.domain.dead_letters import ACCEPTED_AFTER_ALL, DeadLetter, Kind
from nofy.domain.delivery import Change, Fence, Leased, Report, State, Waiting
from nofy.domain.edit import Edit
from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError, NofyError
from nofy.domain.ids import born
from nofy.domain.lifecycle import LEASABLE, LIVE, WAITING, Event, Status, allowed
from nofy.domain.notification import DEFAULT_LIFETIME, Integration, PlannedNotification, Principal
from nofy.domain.outcomes import Accepted, Unknown
from nofy.domain.permissions import Permission, Scope, of_scopes
from nofy.domain.retry import Tried
from nofy.domain.routing import IDEMPOTENT
from nofy.domain.timing import IN_HAND_TOO_LONG, MOST_REQUEUES
from nofy.domain.tokens import Mode
from nofy.ports.reading import (
    ANY_DEAD_LETTER,
    DeadLetterFilter,
    DeadLetterGroupView,
    DeadLetterView,
    Listed,
    RedrivePreview,
)
from nofy.ports.schedule import Entry
from nofy.ports.store import Discarded, IdempotencyClaim, Queued, Redriven
from nofy.ports.upkeep import Backlog, IndexProgress, Overdue, Stuck
from tests.fakes import statistics, views
from tests.fakes.clock import CountingIds
from tests.fakes.erasure import deliveries_of, erase, put_away
from tests.fakes.tables import (
    Answered,
    AttemptRow,
    DeadLetterRow,
    DeliveryRow,
    IntegrationRow,
    KeyRow,
    NotificationRow,
    ProjectRow,
    Tables,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from nofy.domain.records import QueueRecord
    from nofy.domain.statistics import Range
    from nofy.ports.clock import Clock
    from nofy.ports.reading import NotificationFilter, NotificationView
    from nofy.ports.statistics import StatisticsView

KEY_LIFETIME = timedelta(hours=24)
WEEK = timedelta(days=7)
A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
UNBURIED_AFTER = 60


class MemoryStore:
    """Implements Acceptances, Amendments, Dispatches, Leases, Outcomes, Burials, Upkeep and Reading."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._new_id = CountingIds(clock)
        self.tables = Tables()

    # What an operator and a person do; no port has these (yet).

    def add_key(self, token_hash: bytes, principal: Principal) -> None:
        now, project_id = self._clock(), principal.project_id
        self.tables.projects.setdefault(project_id, ProjectRow(Project(project_id, "Contract", now)))
        self.tables.keys[token_hash] = KeyRow(project_id, principal.actor.actor_id, principal.mode, now)
        for each in principal.integrations:
            self.tables.integrations[each.integration_id] = IntegrationRow(project_id, each, now, now)

    def revoke(self, token_hash: bytes) -> None:
        self.tables.keys[token_hash].revoked_at = self._clock()

    def mend(self, integration_id: UUID) -> None:
        """A new credential: another version, so what the old one was held for is over."""
        self.tables.integrations[integration_id].credential_version += 1

    def vanish(self, delivery_id: UUID) -> None:
        """What must never happen."""
        del self.tables.deliveries[delivery_id]

    # Acceptances

    def principal(self, token_hash: bytes) -> Principal | None:
        key = self.tables.keys.get(token_hash)
        now = self._clock()
        if key is None or not key.valid(now) or self.tables.projects[key.project_id].project.archived_at:
            return None
        key.last_used_at = now
        return self.principal_of(key.project_id, Actor(ActorKind.TOKEN, key.key_id, key.name), key.mode, key.scopes)

    def principal_of(
        self, project_id: UUID, actor: Actor, mode: Mode, granted: tuple[Scope, ...] | frozenset[Permission]
    ) -> Principal:
        """Somebody in a project, with what it can send with."""
        permissions = of_scopes(granted) if isinstance(granted, tuple) else granted
        integrations = tuple(self._integrations_of(project_id))
        return Principal(project_id, actor, mode, integrations, permissions, self.tables.projects[project_id].limits)

    def _integrations_of(self, project_id: UUID) -> Iterator[Integration]:
        rows = self.tables.integrations.values()
        return (each.integration for each in rows if each.project_id == project_id and each.removed_at is None)

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
        weight = self.tables.projects[row.project_id].weight
        return Waiting(row.fence, row.project_id, planned.lane, planned.destination, row.expires_at, held, weight)

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

    def stand_by(self) -> None:
        """Nor one to make."""

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
            row.happened += statistics.of_change(row, change)
            if (before.status, before.attempt_no) != (after.status, after.attempt_no):  # else it is no progress
                row.become(after.status, self._clock())
            row.attempt_no, row.spent, row.due_at = after.attempt_no, after.spent, after.due_at
            row.provider_message_id, row.reason = after.provider_message_id, after.reason
            self._hold_integration(row, change.held_credential)
            for each in sorted(change.reports, key=lambda report: not isinstance(report.outcome, Accepted)):
                self._acknowledge(each)
            if row.status is Status.SENT:
                self._discard_letters_of(row)
            return True
        return False

    def _discard_letters_of(self, row: DeliveryRow) -> None:
        for each in self.tables.dead_letters:
            if each.open and each.letter.kind is Kind.DELIVERY and each.letter.delivery_id == row.planned.delivery_id:
                each.discard(ACCEPTED_AFTER_ALL, self._clock())

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

    def bury(self, letters: Sequence[DeadLetter]) -> int:
        new = 0
        for each in letters:
            if not self._buried(each):
                row = self.tables.deliveries.get(each.delivery_id) if each.delivery_id else None
                project_id = row.project_id if row else None
                letter = DeadLetterRow(self._new_id(), project_id, each, self._clock())
                self.tables.dead_letters.append(letter)
                if row and not row.planned.content:
                    put_away(letter, self._clock())
                elif row and row.status in (Status.SENT, Status.DELIVERED):
                    letter.discard(ACCEPTED_AFTER_ALL, self._clock())
                new += row is None or row.live
        return new

    def _buried(self, letter: DeadLetter) -> bool:
        return any(row.tells(letter) for row in self.tables.dead_letters)

    # Upkeep

    def index_progress(self) -> IndexProgress | None:
        return self.tables.progress

    def save_index_progress(self, progress: IndexProgress) -> None:
        self.tables.progress = progress

    def waiting_between(self, after: datetime | Entry | None, until: datetime, limit: int) -> list[Entry]:
        def place(each: Entry) -> tuple[datetime, UUID]:
            return each.due_at, each.delivery_id

        found = sorted((each for each in self._entries() if each.due_at <= until), key=place)
        if isinstance(after, Entry):
            found = [each for each in found if place(each) > place(after)]
        elif after is not None:
            found = [each for each in found if each.due_at > after]
        return found[:limit]

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
            often = row.requeues() >= MOST_REQUEUES
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
        ended = [row for row in self._of(Status.FAILED, Status.UNKNOWN) if row.rests(UNBURIED_AFTER, self._clock())]
        ended.sort(key=lambda row: row.changed_at)
        letters = [
            DeadLetter(Kind.DELIVERY, row.reason or str(row.status), row.planned.delivery_id, row.attempt_no)
            for row in ended
        ]
        return [each for each in letters if not self._buried(each)][:limit]

    def ensure_partitions(self, ahead_days: int) -> None:
        """Memory has none."""

    def drop_partition(self, older_than_seconds: int) -> int:
        before = self._clock() - timedelta(seconds=older_than_seconds)
        for week in sorted({_week(each) for each in self.tables.deliveries}):
            if week + WEEK <= before and not self._lives(week):
                self._drop(week)
                return 1
        return 0

    def _lives(self, week: datetime) -> bool:
        """Something of the week's own, or of a notification of it."""
        return any(
            week in (_week(row.planned.delivery_id), _week(row.notification.notification_id)) for row in self._of(*LIVE)
        )

    def _drop(self, week: datetime) -> None:
        for each in [each for each in self.tables.deliveries if _week(each) == week]:
            del self.tables.deliveries[each]
            self.tables.accepted -= 1  # where there is a counter of hours, these are long past
        for each in [each for each in self.tables.notifications if _week(each) == week]:
            del self.tables.notifications[each]

    def forget_dead_letters(self, older_than_seconds: int, limit: int) -> int:
        before = self._clock() - timedelta(seconds=older_than_seconds)
        orphans = [
            each
            for each in self.tables.dead_letters
            if each.letter.kind is Kind.DELIVERY
            and (gone := each.letter.delivery_id)
            and gone not in self.tables.deliveries
            and born(gone) < before
        ][:limit]
        for each in orphans:
            self.tables.dead_letters.remove(each)
        return len(orphans)

    def erase_content(self, limit: int) -> int:
        now = self._clock()
        ripe = [each for _, each in sorted(self.tables.notifications.items()) if self._kept_long_enough(each, now)]
        return erase(self.tables, ripe[:limit], now).notifications

    def _kept_long_enough(self, row: NotificationRow, now: datetime) -> bool:
        rows = deliveries_of(self.tables, row)
        kept = timedelta(days=self.tables.projects[row.project_id].project.retention_days)
        ended = all(each.status not in LIVE and each.changed_at <= now - kept for each in rows)
        return ended and bool(row.planned.draft.content)

    def lost(self, waiting_seconds: int, in_hand_seconds: int = IN_HAND_TOO_LONG) -> int:
        idle = [*self._idle(WAITING, waiting_seconds), *self._idle({Status.QUEUED, Status.SENDING}, in_hand_seconds)]
        return max(0, self.tables.accepted - len(self.tables.deliveries)) + len(idle)

    def _idle(self, statuses: Iterable[Status], seconds: int) -> list[DeliveryRow]:
        now = self._clock()
        overdue = now - timedelta(seconds=seconds)
        return [row for row in self._of(*statuses) if row.due_at < overdue and row.rests(seconds, now)]

    def backlog(self) -> Backlog:
        now = self._clock()
        waiting = [(now - row.changed_at) // timedelta(seconds=1) for row in self._of(Status.QUEUED)]
        return Backlog(max(waiting, default=0), sum(each.held for each in self.tables.integrations.values()))

    def count_accepted(self) -> None:
        """Whoever asks the fake for figures has the rows counted."""

    def fold_counts(self, limit: int) -> None:
        """Memory has no counters."""

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

    def redrive(self, principal: Principal, dead_letter_id: UUID, edit: Edit | None = None) -> list[Entry]:
        one = DeadLetterFilter(ids=(dead_letter_id,))
        return self._redrive(principal, one, 1, 0, edit or Edit(), skip_expired=False).entries

    def redrive_many(
        self, principal: Principal, wanted: DeadLetterFilter, limit: int, per_second: float, *, skip_expired: bool
    ) -> Redriven:
        return self._redrive(principal, wanted, limit, 1 / per_second, Edit(), skip_expired=skip_expired)

    def _redrive(
        self,
        principal: Principal,
        wanted: DeadLetterFilter,
        limit: int,
        apart: float,
        edit: Edit,
        *,
        skip_expired: bool,
    ) -> Redriven:
        now = self._clock()
        known = self._open(principal, wanted)
        again = [pair for pair in known if _redrivable(*pair) and not (skip_expired and pair[1].expires_at <= now)]
        chosen = sorted(again[:limit], key=lambda pair: pair[1].planned.delivery_id)
        for position, (letter, row) in enumerate(chosen):
            letter.redriven_at = now
            _edit(row, edit, now)
            _redrive(row, letter, now, now + timedelta(seconds=position * apart))
        return Redriven([row.entry for _, row in chosen], len(known) - len(chosen))

    def discard(self, principal: Principal, wanted: DeadLetterFilter, limit: int, reason: str) -> Discarded:
        known = self._open(principal, wanted)
        for letter, _ in known[:limit]:
            letter.discard(reason, self._clock())
        return Discarded(len(known[:limit]), len(known[limit:]))

    def _open(self, principal: Principal, wanted: DeadLetterFilter) -> list[tuple[DeadLetterRow, DeliveryRow]]:
        """The caller's open letters that are meant, oldest first."""
        pairs = [
            (letter, row)
            for letter, row in views.dead_letters(self.tables, principal)
            if letter.open and views.meant(views.dead_letter_view(self.tables, letter, row), wanted)
        ]
        return sorted(pairs, key=lambda pair: pair[0].dead_letter_id)

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
    ) -> Listed:
        found = sorted(self.tables.notifications, reverse=True)
        page = [self.notification(principal, each) for each in found if before is None or each < before]
        wished = [each for each in page if each and views.matches(each, wanted)]
        more = wished[limit - 1].notification_id if len(wished) > limit else None
        return Listed(tuple(wished[:limit]), more)

    def dead_letter(self, principal: Principal, dead_letter_id: UUID) -> DeadLetterView | None:
        page = self._letters(principal)
        return next((each for each in page if each.dead_letter_id == dead_letter_id), None)

    def dead_letters(
        self, principal: Principal, wanted: DeadLetterFilter | None, before: UUID | None, limit: int
    ) -> list[DeadLetterView]:
        found = [
            each
            for each in self._letters(principal)
            if views.meant(each, wanted or ANY_DEAD_LETTER) and (before is None or each.dead_letter_id < before)
        ]
        return sorted(found, key=lambda each: each.dead_letter_id, reverse=True)[:limit]

    def dead_letter_groups(self, principal: Principal, before: UUID | None, limit: int) -> list[DeadLetterGroupView]:
        by_cause: dict[str, list[DeadLetterView]] = {}
        for each in self._letters(principal):
            by_cause.setdefault(each.fingerprint, []).append(each)
        found = [views.group(letters) for letters in by_cause.values()]
        found.sort(key=lambda each: each.latest_id, reverse=True)
        return [each for each in found if before is None or each.latest_id < before][:limit]

    def redrive_preview(self, principal: Principal, wanted: DeadLetterFilter, sample: int) -> RedrivePreview:
        known = self._open(principal, wanted)
        again = [row for letter, row in known if _redrivable(letter, row)]
        late = sum(row.expires_at <= self._clock() for row in again)
        reached = sorted({(str(row.planned.lane.channel), row.planned.destination) for row in again})
        return RedrivePreview(len(known), len(again), late, len(reached), tuple(reached[:sample]))

    def statistics(self, principal: Principal, span: Range) -> StatisticsView:
        return statistics.view(self.tables, principal, span, self._clock())

    def _letters(self, principal: Principal) -> list[DeadLetterView]:
        pairs = views.dead_letters(self.tables, principal)
        return [views.dead_letter_view(self.tables, letter, row) for letter, row in pairs]

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


def _redrivable(letter: DeadLetterRow, row: DeliveryRow) -> bool:
    """A letter tells of its delivery's end as long as their attempts are the same."""
    return allowed(row.status, Event.REDRIVEN) and row.attempt_no == letter.letter.attempt_no


def _edit(row: DeliveryRow, edit: Edit, now: datetime) -> None:
    noted = [f"destination was {row.planned.destination}"] if edit.destination else []
    noted += ["another content"] if edit.content else []
    if noted:
        row.note("edited", now, ", ".join(noted))
    destination, content = edit.destination or row.planned.destination, edit.content or row.planned.content
    row.planned = replace(row.planned, destination=destination, content=content)


def _redrive(row: DeliveryRow, letter: DeadLetterRow, now: datetime, due_at: datetime) -> None:
    row.note(Event.REDRIVEN, now, f"after: {row.reason or 'failed'}", dead_letter=str(letter.dead_letter_id))
    row.advance(Event.REDRIVEN, now)
    row.attempt_no, row.redrive_no, row.spent = row.attempt_no + 1, row.redrive_no + 1, 0
    row.due_at, row.expires_at, row.reason = due_at, max(row.expires_at, due_at + DEFAULT_LIFETIME), None


def _week(identifier: UUID) -> datetime:
    """The Monday on which the week of a birth began."""
    return A_MONDAY + (born(identifier) - A_MONDAY) // WEEK * WEEK


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
