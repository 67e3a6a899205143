"""The rows behind the fake of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import ProjectLimits
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.delivery import Fence, Report, State
from nofy.domain.lifecycle import Event, Status, advance
from nofy.domain.outcomes import Unknown
from nofy.domain.permissions import Scope
from nofy.ports.schedule import Entry
from tests.fakes.statistics import NAMES, Happened

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry, Identity, Invitation, Member, Project
    from nofy.domain.notification import Integration, PlannedDelivery, PlannedNotification
    from nofy.domain.tokens import Mode
    from nofy.ports.store import IdempotencyClaim
    from nofy.ports.upkeep import IndexProgress


@dataclass
class KeyRow:
    project_id: UUID
    key_id: UUID
    mode: Mode
    created_at: datetime
    name: str = ""
    hint: str = ""
    scopes: tuple[Scope, ...] = tuple(Scope)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass
class ProjectRow:
    project: Project
    limits: ProjectLimits = field(default_factory=ProjectLimits)
    weight: int = 1
    audit_log: list[AuditEntry] = field(default_factory=list)


@dataclass
class InvitationRow:
    project_id: UUID
    invitation: Invitation
    token_hash: bytes
    closed: bool = False  # accepted or revoked

    def open(self, now: datetime) -> bool:
        return not self.closed and self.invitation.expires_at > now


@dataclass
class IntegrationRow:
    project_id: UUID
    integration: Integration
    created_at: datetime
    changed_at: datetime
    credential: bytes = b"sealed"
    credential_version: int = 1
    held_version: int | None = None
    name: str = ""
    hint: str = ""
    checked: dict[str, Any] = field(default_factory=dict)
    removed_at: datetime | None = None

    @property
    def held(self) -> bool:
        return self.held_version == self.credential_version


@dataclass
class AttemptRow:
    due_at: datetime
    dispatched_at: datetime
    leased_at: datetime
    lease_until: datetime
    credential_version: int
    redrive_no: int
    report: Report | None = None
    acknowledged_at: datetime | None = None


@dataclass
class DeliveryRow:
    project_id: UUID
    live: bool
    notification: PlannedNotification
    planned: PlannedDelivery
    due_at: datetime
    expires_at: datetime
    changed_at: datetime
    status: Status = Status.SCHEDULED
    attempt_no: int = 1
    spent: int = 0
    redrive_no: int = 0
    reason: str | None = None
    provider_message_id: str | None = None
    queued_at: tuple[int, int] | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    attempts: dict[int, AttemptRow] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=lambda: [Status.SCHEDULED])  # every one it ever had, in order
    happened: list[Happened] = field(default_factory=list)  # what is counted

    @property
    def fence(self) -> Fence:
        return Fence(self.planned.delivery_id, self.attempt_no, self.due_at)

    def requeues(self) -> int:
        """How often it was dispatched again for a lost record since somebody last sent it again."""
        events = [each["event"] for each in self.history]
        while Event.REDRIVEN in events:
            events = events[events.index(Event.REDRIVEN) + 1 :]
        return events.count(Event.REQUEUED)

    @property
    def in_doubt_since(self) -> datetime | None:
        """When the first attempt of this redrive began whose outcome is unknown."""
        return min(
            (
                each.leased_at
                for each in self.attempts.values()
                if each.redrive_no == self.redrive_no and each.report and isinstance(each.report.outcome, Unknown)
            ),
            default=None,
        )

    @property
    def entry(self) -> Entry:
        return Entry(self.planned.lane, self.project_id, self.planned.delivery_id, self.due_at)

    @property
    def state(self) -> State:
        return State(
            self.planned.delivery_id,
            self.project_id,
            self.status,
            self.attempt_no,
            self.spent,
            self.due_at,
            self.planned.lane,
            self.planned.integration_id,
            self.provider_message_id,
            self.reason,
        )

    def advance(self, event: Event, now: datetime) -> None:
        """What SQL does in an UPDATE; the fake asks the one transition table whether it may."""
        self.become(advance(self.status, event), now)
        if event in NAMES:
            self.happened.append(Happened(NAMES[event], now))

    def become(self, status: Status, now: datetime) -> None:
        if status is not self.status:
            self.statuses.append(status)
        self.status = status
        self.changed_at = now

    def note(self, event: str, now: datetime, reason: str | None = None, **more: str) -> None:
        told = {} if reason is None else {"reason": reason}
        self.history.append({"event": str(event), "at": now.isoformat(), **told, **more})

    def rests(self, seconds: float, now: datetime) -> bool:
        """Nothing has happened to it for this long."""
        return self.changed_at < now - timedelta(seconds=seconds)


@dataclass
class DeadLetterRow:
    dead_letter_id: UUID
    project_id: UUID | None
    letter: DeadLetter
    created_at: datetime
    redriven_at: datetime | None = None
    discarded_at: datetime | None = None
    discard_reason: str | None = None

    @property
    def open(self) -> bool:
        return self.redriven_at is None and self.discarded_at is None

    def discard(self, reason: str, now: datetime) -> None:
        self.discarded_at, self.discard_reason = now, reason

    def tells(self, other: DeadLetter) -> bool:
        """Whether it is about the same failure, as the unique indexes have it."""
        mine = self.letter
        if Kind.DELIVERY in (mine.kind, other.kind):
            return (mine.kind, mine.delivery_id, mine.attempt_no) == (other.kind, other.delivery_id, other.attempt_no)
        return mine.source == other.source


@dataclass
class NotificationRow:
    project_id: UUID
    live: bool
    planned: PlannedNotification
    send_at: datetime
    expires_at: datetime


@dataclass
class Answered:
    claim: IdempotencyClaim
    at: datetime


@dataclass
class Tables:
    projects: dict[UUID, ProjectRow] = field(default_factory=dict)
    users: dict[UUID, Identity] = field(default_factory=dict)
    members: dict[tuple[UUID, UUID], Member] = field(default_factory=dict)  # by project and user
    invitations: dict[UUID, InvitationRow] = field(default_factory=dict)
    keys: dict[bytes, KeyRow] = field(default_factory=dict)
    integrations: dict[UUID, IntegrationRow] = field(default_factory=dict)
    notifications: dict[UUID, NotificationRow] = field(default_factory=dict)
    deliveries: dict[UUID, DeliveryRow] = field(default_factory=dict)
    answers: dict[tuple[UUID, Mode, str], Answered] = field(default_factory=dict)
    in_flight: set[tuple[UUID, Mode, str]] = field(default_factory=set)
    dead_letters: list[DeadLetterRow] = field(default_factory=list)
    accepted: int = 0
    progress: IndexProgress | None = None
