"""Quotas in memory: the domain's functions and dictionaries to keep their state in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.errors import ScheduleUnavailableError
from nofy.domain.quotas import Share, admit, seconds, spend
from nofy.domain.rates import Rate
from nofy.ports.accounts import Allowance

if TYPE_CHECKING:
    from datetime import date, datetime

    from nofy.domain.accounts import ProjectLimits


class MemoryQuotas:
    """Implements :class:`nofy.ports.accounts.Quotas`. ``down``: a Redis that cannot be asked."""

    def __init__(self) -> None:
        self.down = False
        self.trips = 0
        self.wipe()

    def wipe(self) -> None:
        """FLUSHALL."""
        self.rates: dict[UUID, datetime] = {}
        self.days: dict[tuple[UUID, date], int] = {}
        self.versions: dict[UUID, str] = {}

    def ask(self, project_id: UUID, limits: ProjectLimits, now: datetime) -> Allowance:
        self._reach()
        rate = Rate(limits.requests_per_second, limits.burst)
        share, self.rates[project_id] = admit(self.rates.get(project_id, now), rate, now)
        return _allowance(share, limits.burst, self.versions.get(project_id, ""))

    def spend(self, project_id: UUID, limits: ProjectLimits, notifications: int, now: datetime) -> Allowance:
        self._reach()
        quota, day = limits.notifications_per_day, (project_id, now.date())
        assert quota is not None
        share, self.days[day] = spend(self.days.get(day, 0), quota, notifications, now)
        return _allowance(share, quota)

    def changed(self, project_id: UUID) -> None:
        self._reach()
        self.versions[project_id] = f"version {self.trips}"

    def _reach(self) -> None:
        if self.down:
            raise ScheduleUnavailableError("connection refused")
        self.trips += 1


def _allowance(share: Share, limit: int, version: str | None = None) -> Allowance:
    return Allowance(share.had, limit, share.remaining, seconds(share.reset), seconds(share.wait), version)
