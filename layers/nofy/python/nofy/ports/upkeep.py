"""What the reconciler sees of the store: what is overdue, stuck, or left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.dead_letters import DeadLetter
    from nofy.domain.delivery import Fence, Report
    from nofy.domain.retry import Tried
    from nofy.domain.routing import Lane
    from nofy.ports.schedule import Entry


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
