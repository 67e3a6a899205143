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
        """Let go of the connection: none is held while a provider keeps everybody waiting."""

    def stand_by(self) -> None:
        """Be ready for the next batch while nobody waits for it, if the connection was let go of."""

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
