"""The index of what is due soon. Safe to lose: PostgreSQL rebuilds it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.routing import Lane

# Projects that no weight is known of weigh one.
EQUAL: Mapping[UUID, int] = MappingProxyType({})
# Nobody is passed over.
NOBODY: Mapping[Lane, Collection[UUID]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery's place: in its lane, among its project's."""

    lane: Lane
    project_id: UUID
    delivery_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Ids of one lane that this run holds until ``lease_ms``; the lease is also what proves they are ours.

    What earlier claims left behind comes first, then each project's turn: ids are in the order of service.
    """

    lane: Lane
    ids: tuple[UUID, ...]
    lease_ms: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at the schedule found."""

    claims: tuple[Claim, ...]
    # When there may be something to claim again in one of the lanes: never late, and early where the soonest was moved
    # or removed meanwhile.
    next_due: datetime | None
    newest_run: bool  # False: another dispatcher has registered since, this run should end


class Schedule(Protocol):
    """Raises :class:`nofy.domain.errors.ScheduleUnavailableError` from every method."""

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        """Index entries (again: the last time wins) and wake the dispatcher for those due within its sleep."""

    def register(self, run_id: str) -> None:
        """Make this run the newest one; older runs end when they see it."""

    def claim(
        self,
        limits: Mapping[Lane, int],
        now: datetime,
        run_id: str,
        weights: Mapping[UUID, int] = EQUAL,
        passed_over: Mapping[Lane, Collection[UUID]] = NOBODY,
    ) -> Turn:
        """Take what is due, at most ``limits[lane]`` of each lane, and what earlier claims left behind.

        Of projects that are passed over in a lane nothing is taken that is due there, nor is it looked for: it is as
        if it came later.

        Projects of a lane take turns: while two of them have due work, one that weighs three times as much as the
        other is given three times as much, and who had nothing due before has neither saved up anything nor owes it.
        """

    def release(self, claims: Iterable[Claim]) -> None:
        """Let go of claimed ids, except those that somebody else holds by now."""

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget ids that will not be sent, whatever their time; what is claimed already stays claimed."""

    def sleep(self, seconds: float) -> None:
        """Wait until somebody wakes the dispatcher, or this long."""

    def epoch(self) -> str:
        """A random value that lives as long as this index does; a new one means everything was lost."""
