"""The truth, split by who needs which part of it. Times without a parameter are PostgreSQL's own.

Every method raises :class:`nofy.domain.errors.StoreUnavailableError` when PostgreSQL cannot be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.dead_letters import DeadLetter
    from nofy.domain.delivery import Change, Fence, Leased, Report, State, Waiting
    from nofy.domain.edit import Edit
    from nofy.domain.notification import PlannedNotification, Principal
    from nofy.domain.records import QueueRecord
    from nofy.domain.retry import Tried
    from nofy.domain.routing import Lane
    from nofy.ports.reading import DeadLetterFilter
    from nofy.ports.schedule import Entry


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A caller's promise that requests with this key are the same request.

    ``answer`` is what a replay gets; ``request_hash`` tells another body from the same one.
    """

    key: str
    request_hash: bytes
    answer: dict[str, Any]


class Acceptances(Protocol):
    """What the producer needs."""

    def principal(self, token_hash: bytes) -> Principal | None:
        """Who holds a token, with the project's integrations; None if nobody does (or no longer)."""

    def accept(
        self,
        principal: Principal,
        planned: Sequence[PlannedNotification],
        claim: IdempotencyClaim | None = None,
    ) -> dict[str, Any] | None:
        """Store all of it in one transaction, or the answer stored earlier under the same idempotency key.

        Raises ConflictError while a request with the key is in flight, IdempotencyKeyReusedError for the same
        key with another body.
        """


@dataclass(frozen=True, slots=True)
class Redriven:
    """What a redrive changed, and how many open letters of its filter are left (some may not be redrivable)."""

    entries: list[Entry]
    remaining: int


@dataclass(frozen=True, slots=True)
class Discarded:
    """How many dead letters were discarded, and how many open ones of the filter are left."""

    letters: int
    remaining: int


class Amendments(Protocol):
    """What a person may change about work under way, within their project."""

    def cancel(self, principal: Principal, notification_id: UUID) -> list[Entry]: ...

    def move(self, principal: Principal, notification_id: UUID, send_at: datetime, expires_at: datetime) -> list[Entry]:
        """Give the notification's scheduled deliveries another time."""

    def redrive(self, principal: Principal, dead_letter_id: UUID, edit: Edit | None = None) -> list[Entry]:
        """Send a dead letter's delivery again, from the first attempt; once per dead letter."""

    def redrive_many(
        self, principal: Principal, wanted: DeadLetterFilter, limit: int, per_second: float, *, skip_expired: bool
    ) -> Redriven:
        """Redrive at most ``limit`` open letters, oldest first, due one after the other at ``per_second``."""

    def discard(self, principal: Principal, wanted: DeadLetterFilter, limit: int, reason: str) -> Discarded:
        """Put at most ``limit`` open letters away: they are not redriven any more."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A fence whose record lies in Kafka, and where."""

    fence: Fence
    partition: int
    offset: int


class Dispatches(Protocol):
    """What the dispatcher needs. Every write holds only where its fence still does."""

    def waiting(self, ids: Sequence[UUID]) -> list[Waiting]:
        """Those of the ids that still wait for their time, whatever that time is by now."""

    def mark_queued(self, queued: Sequence[Queued]) -> None: ...

    def hold(self, fences: Sequence[Fence]) -> None: ...

    def expire(self, fences: Sequence[Fence]) -> None: ...


class Leases(Protocol):
    """What the consumer needs."""

    def lease(self, records: Sequence[QueueRecord], seconds: int) -> list[Leased]:
        """Begin an attempt for each record whose fence holds; the others fall away here."""

    def hang_up(self) -> None:
        """Let go of the connection: none is held while providers are called."""

    def stand_by(self) -> None:
        """Connect again, for the next batch: connecting takes longer than a lease, and nobody waits for it now."""

    def keep_reports(self, reports: Sequence[Report]) -> None:
        """Write reports on their attempt rows, because Kafka would not take them; the reconciler sends them on."""


class Outcomes(Protocol):
    """What the acks handler needs: the only writer of outcomes."""

    def states(self, ids: Sequence[UUID]) -> dict[UUID, State]: ...

    def apply(self, changes: Sequence[Change]) -> set[UUID]:
        """Apply changes whose ``before`` still holds; returns their ids. The others are read again by the caller.

        Open dead letters of what is sent by now are discarded: it was accepted after all.
        """


class Burials(Protocol):
    """What the dlq handler needs."""

    def bury(self, letters: Sequence[DeadLetter]) -> int:
        """Store dead letters; one that is already stored changes nothing.

        One that comes after its delivery was accepted after all, or erased, is put away at once. Returns how many are
        new and not about a test token's delivery: for those alone somebody may be woken.
        """


@dataclass(frozen=True, slots=True)
class Overdue:
    """An attempt whose lease ran out, or whose outcome lies on its row: what the reconciler reports on."""

    delivery_id: UUID
    attempt_no: int
    tried: Tried
    credential_version: int
    report: Report | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """A delivery that has been ``queued`` for too long, and the record it waits for."""

    fence: Fence
    lane: Lane
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far the index of an epoch reaches."""

    epoch: str
    indexed_until: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits where nobody sees it: since when the oldest delivery is ``queued``, and on how many integrations."""

    oldest_queued_seconds: int
    held_integrations: int


class Upkeep(Protocol):
    """What the reconciler needs."""

    def index_progress(self) -> IndexProgress | None: ...

    def save_index_progress(self, progress: IndexProgress) -> None: ...

    def waiting_between(self, after: datetime | Entry | None, until: datetime, limit: int) -> list[Entry]:
        """At most ``limit`` waiting deliveries due until a moment, by time and then id.

        ``after`` a moment, or after the last entry of an earlier page: any number may be due at the same moment.
        """

    def accepted_since(self, since: datetime, until: datetime) -> list[Entry]:
        """Waiting deliveries born since a moment and due before another."""

    def expired_leases(self, limit: int) -> list[Overdue]:
        """Attempts being sent whose lease is over, with the report on their row if there is one."""

    def stuck_queued(self, older_than_seconds: int, limit: int) -> list[Stuck]: ...

    def requeue(self, fences: Sequence[Fence]) -> list[Entry]:
        """Back to scheduled, still due when they were; returns what was moved. The last of many times they fail."""

    def release_held(self, limit: int) -> list[Entry]:
        """Held deliveries whose integration is not: scheduled again, and returned."""

    def expire_held(self, limit: int) -> int:
        """End held deliveries that nobody wants any more; returns how many."""

    def unburied(self, limit: int) -> list[DeadLetter]:
        """Deliveries that failed or were left as unknown, and have no dead letter."""

    def ensure_partitions(self, ahead_days: int) -> None: ...

    def drop_partition(self, older_than_seconds: int) -> int:
        """Drop the oldest week of rows that ended so long ago and has nothing live in it; 1 if there was one."""

    def forget_dead_letters(self, older_than_seconds: int, limit: int) -> int:
        """Delete dead letters whose deliveries went with their week; returns how many."""

    def erase_content(self, limit: int) -> int:
        """Blank notifications that ended longer ago than their project keeps content; returns how many.

        At most ``limit`` are looked at, and ``limit`` that could not be blanked before. Answers kept for idempotency
        keys that are over are deleted along the way.
        """

    def lost(self, waiting_seconds: int, in_hand_seconds: int) -> int:
        """Accepted deliveries that have no row, plus live ones past due by these seconds that have not moved since.

        The first figure is for what waits for its time, the second for what is queued or being sent; held is neither.
        """

    def backlog(self) -> Backlog: ...

    def count_accepted(self) -> None:
        """Count what was accepted in minutes that are not final yet.

        Counting a minute again changes nothing: it is set to what was found, and not added to.
        """

    def fold_counts(self, limit: int) -> None:
        """Add at most ``limit`` old counters to their hours, and what is beyond the longest range to one sum."""
