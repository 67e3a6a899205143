"""The limiter in memory: the domain's functions and dictionaries to keep their state in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.breaker import Breaker
from nofy.domain.limits import Bucket, Standing, Verdict, ask, pause_of
from nofy.domain.rates import limits_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome


class MemoryLimiter:
    """Implements :class:`nofy.ports.limiter.Limiter`."""

    def __init__(self) -> None:
        self.wipe()

    def wipe(self) -> None:
        """FLUSHALL."""
        self.breakers: dict[UUID, Breaker] = defaultdict(Breaker)
        self.integrations: dict[UUID, Bucket] = defaultdict(Bucket)
        self.destinations: dict[tuple[UUID, str], Bucket] = defaultdict(Bucket)
        self.slots: dict[UUID, datetime] = {}

    def reserve(self, deliveries: Sequence[Leased], now: datetime) -> list[Verdict]:
        return [self._ask(each, now) for each in deliveries]

    def _ask(self, leased: Leased, now: datetime) -> Verdict:
        integration, delivery = leased.integration_id, leased.fence.delivery_id
        there = integration, leased.destination
        standing = Standing(
            self.breakers[integration],
            self.integrations[integration],
            self.destinations[there],
            self.slots.get(delivery),
        )
        limits = limits_of(leased.provider, leased.settings)
        verdict, after = ask(standing, limits, leased.priority, leased.latest, now)
        self.breakers[integration] = after.breaker
        self.integrations[integration] = after.integration
        self.destinations[there] = after.destination
        self.slots.pop(delivery, None)
        if after.slot:
            self.slots[delivery] = after.slot
        return verdict

    def learn(self, answers: Sequence[tuple[Leased, Outcome]], now: datetime) -> None:
        for leased, outcome in answers:
            integration, there = leased.integration_id, (leased.integration_id, leased.destination)
            self.breakers[integration] = self.breakers[integration].learn(outcome, now)
            pause = pause_of(outcome, now)
            limits = limits_of(leased.provider, leased.settings)
            if pause and pause.whole_integration:
                self.integrations[integration] = self.integrations[integration].pause(limits.integration, pause.until)
            elif pause:
                self.destinations[there] = self.destinations[there].pause(limits.destination, pause.until)
