"""How much a project asks for, as far as Redis can tell: where it cannot, everything is allowed, and somebody told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import QuotaExceededError, ScheduleUnavailableError
from nofy.ports.accounts import Allowance
from nofy.runtime.observability import logger, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.accounts import ProjectLimits
    from nofy.domain.notification import Principal
    from nofy.ports.accounts import Quotas
    from nofy.ports.clock import Clock
    from nofy.runtime.api.routes import Function

# Alarmed: nobody is limited, and what was revoked holds for twenty seconds more.
UNAVAILABLE = "quota_unavailable"
# A Redis that swallows packets would cost every request its time-out: so long after one, nobody asks it.
PATIENCE = timedelta(seconds=1)


class Admission:
    """One function's quotas, failing open."""

    def __init__(self, quotas: Quotas, clock: Clock, function: Function) -> None:
        self._quotas = quotas
        self._clock = clock
        self._function = function
        self._not_before: datetime | None = None

    def ask(self, who: UUID, limits: ProjectLimits) -> Allowance:
        """Take one request of a project's (or, where there is none, a person's) rate."""
        unlimited = Allowance(allowed=True, limit=limits.burst, remaining=limits.burst, reset=0)
        return self._or(unlimited, lambda now: self._quotas.ask(who, limits, now))

    def spend(self, principal: Principal, notifications: int) -> None:
        """Take so many of the day's quota, test notifications like live ones. Raises QuotaExceededError."""
        if principal.limits.notifications_per_day is None:
            return
        unlimited = Allowance(allowed=True, limit=0, remaining=0, reset=0)
        allowance = self._or(
            unlimited, lambda now: self._quotas.spend(principal.project_id, principal.limits, notifications, now)
        )
        if not allowance.allowed:
            raise QuotaExceededError(allowance.retry_after)

    def give_back(self, principal: Principal, notifications: int) -> None:
        """What was spent for notifications that then were not stored."""
        self.spend(principal, -notifications)

    def changed(self, project_id: UUID) -> None:
        """What was cached about a project is stale from now on, everywhere; where Redis is away, within seconds."""
        try:
            self._quotas.changed(project_id)
        except ScheduleUnavailableError:
            logger.warning("a change is not told: caches hold until they end", exc_info=True)
            measure(UNAVAILABLE, [1], function=self._function)

    def _or(self, otherwise: Allowance, ask: Callable[[datetime], Allowance]) -> Allowance:
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return otherwise
        try:
            allowance = ask(now)
        except ScheduleUnavailableError:
            self._not_before = now + PATIENCE
            logger.warning("no quotas: everything is allowed", exc_info=True)
            measure(UNAVAILABLE, [1], function=self._function)
            return otherwise
        self._not_before = None
        return allowance
