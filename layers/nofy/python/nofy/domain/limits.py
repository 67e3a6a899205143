"""How much a provider bears, and when a delivery's turn is. Pure.

A delivery that has to wait is given a moment of its own, its *slot*, and nobody else gets it: what is woken at its
slot is called then, and is not parked once more. ``adapters/redis/reserve.lua`` and ``learn.lua`` are these
functions where many consumers share one state; ``tests/contract/test_limiter.py`` holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nofy.domain.breaker import LONG_AGO, Breaker
from nofy.domain.outcomes import Outcome, Throttled
from nofy.domain.retry import patience
from nofy.domain.routing import Priority, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` on average, ``burst`` at once after a quiet time."""

    per_second: float
    burst: int

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=1 / self.per_second)

    @property
    def tolerance(self) -> timedelta:
        """How far ahead of the average a burst may run."""
        return self.interval * (self.burst - 1)

    @property
    def express(self) -> Rate:
        """What ``high`` and ``normal`` have for themselves while a less urgent backlog has taken all slots to come.

        A tenth each: reserved slots cannot be given back, so this comes on top, and 1.2 times the rate is the most.
        """
        return Rate(self.per_second / 10, max(1, self.burst // 10))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one integration bears in all, and towards one destination; None: no limit is known."""

    integration: Rate | None
    destination: Rate | None


# Slack: "about 1 per second per channel, short bursts tolerated" and "several hundred per minute" for a workspace
# (docs.slack.dev/apis/web-api/rate-limits): 300 a minute, which may come at once after a quiet time.
# Brevo: 1,000 a second for POST /v3/smtp/email on all plans (developers.brevo.com/docs/api-limits).
# WhatsApp: 80 a second per number; to one person 1 in 6 s, up to 45 borrowed from the future (Meta, Cloud API,
# "Throughput" and "Pair rate limits"). Larger allowances are set per integration: settings {"limits": ...}.
LIMITS: dict[Provider, Limits] = {
    Provider.SLACK: Limits(Rate(5, 300), Rate(1, 3)),
    Provider.BREVO: Limits(Rate(1000, 1000), None),
    Provider.WHATSAPP: Limits(Rate(80, 80), Rate(1 / 6, 45)),
}
_SLOWEST, _MOST = 0.001, 100_000


def limits_of(provider: Provider, settings: Mapping[str, Any]) -> Limits:
    """The provider's limits, or what the integration's settings say instead; what cannot be read says nothing."""
    given = settings.get("limits")
    if given is None or limits_problem(given):
        return LIMITS[provider]
    return replace(LIMITS[provider], **{name: rate and Rate(**rate) for name, rate in given.items()})


def limits_problem(given: Any) -> str | None:
    """What is wrong with an integration's ``limits``, in words for whoever gave them."""
    sound = isinstance(given, dict) and given.keys() <= {"integration", "destination"}
    if sound and all(rate is None or _is_rate(rate) for rate in given.values()):
        return None
    return 'limits needs "integration" or "destination", each {"per_second": 5, "burst": 300}, or null for no limit'


def _is_rate(given: Any) -> bool:
    if not isinstance(given, dict) or given.keys() != {"per_second", "burst"}:
        return False
    per_second, burst = given["per_second"], given["burst"]
    return type(per_second) in (int, float) and type(burst) is int and _SLOWEST <= per_second <= _MOST >= burst >= 1


def _never_used() -> dict[Priority, datetime]:
    return dict.fromkeys(Priority, LONG_AGO)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate's state, by the generic cell rate algorithm: for each count, when it will be as if never used.

    ``used`` counts for each priority what it and the more urgent ones took, so that of ``low`` counts all;
    ``express`` counts what went past others' backlog. While paused, nothing goes.
    """

    used: Mapping[Priority, datetime] = field(default_factory=_never_used)
    express: Mapping[Priority, datetime] = field(default_factory=_never_used)
    paused_until: datetime = LONG_AGO

    def take(self, rate: Rate | None, priority: Priority, at: datetime) -> tuple[datetime, Bucket]:
        """The first free slot from ``at`` on, and the bucket without it."""
        if rate is None:
            return at, self
        slot, express = _slot(self.used[Priority.LOW], rate, at), self.express
        among_equals = _slot(self.used[priority], rate, at)
        if among_equals < slot:
            sooner = _slot(express[priority], rate.express, among_equals)
            if sooner < slot:
                used = _next(express[priority], rate.express, among_equals)
                slot, express = sooner, {**express, priority: used}
        taken = {each: _next(self.used[each], rate, at) for each in _no_more_urgent(priority)}
        return slot, replace(self, used={**self.used, **taken}, express=express)

    def pause(self, rate: Rate | None, until: datetime) -> Bucket:
        """Nothing before ``until``, and no burst then: whoever was asked for patience has had its burst."""
        spent = until + rate.tolerance if rate else LONG_AGO
        used = {each: max(tat, spent) for each, tat in self.used.items()}
        return replace(self, used=used, paused_until=max(self.paused_until, until))


def _slot(tat: datetime, rate: Rate, at: datetime) -> datetime:
    """When the algorithm lets it through, whose theoretical arrival time is ``tat``."""
    return max(at, tat - rate.tolerance)


def _next(tat: datetime, rate: Rate, at: datetime) -> datetime:
    return max(at, tat) + rate.interval


def _no_more_urgent(priority: Priority) -> list[Priority]:
    order = list(Priority)
    return order[order.index(priority) :]


class Cause(StrEnum):
    """Why a delivery waits, as its attempt says."""

    RATE_LIMITED = "rate limited"
    CIRCUIT_OPEN = "circuit open"


@dataclass(frozen=True, slots=True)
class Go:
    """Call the provider now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Call it at ``until`` and not before."""

    until: datetime
    cause: Cause


Verdict = Go | Wait


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known where a delivery asks: of its integration, of its destination, and the slot it has, if any."""

    breaker: Breaker = field(default_factory=Breaker)
    integration: Bucket = field(default_factory=Bucket)
    destination: Bucket = field(default_factory=Bucket)
    slot: datetime | None = None


def ask(
    standing: Standing, limits: Limits, priority: Priority, latest: datetime, now: datetime
) -> tuple[Verdict, Standing]:
    """Whether to call now or when, and what is known afterwards.

    A slot is honoured however late its owner comes. One that falls into a pause or an open circuit is lost, for its
    time passes unused, and its owner takes a new one. Who would have to wait until ``latest`` takes none.
    """
    barred = standing.breaker.bars_until(now)
    at = max(now, barred or now, standing.integration.paused_until, standing.destination.paused_until)
    cause = Cause.CIRCUIT_OPEN if barred else Cause.RATE_LIMITED
    slot = standing.slot
    if slot is None or slot < at > now:
        first, integration = standing.integration.take(limits.integration, priority, at)
        slot, destination = standing.destination.take(limits.destination, priority, first)
        if slot > now and slot >= latest:
            return Wait(slot, cause), replace(standing, slot=None)
        standing = replace(standing, integration=integration, destination=destination, slot=slot)
    if slot > now:
        return Wait(slot, cause), standing
    return Go(), replace(standing, breaker=standing.breaker.let_through(now), slot=None)


# Throttles that speak of one destination, by how their reason begins: all of Slack's (one a second a channel), and
# WhatsApp's pair limit. All others speak of the integration.
_OF_DESTINATION: dict[Provider, tuple[str, ...]] = {Provider.SLACK: ("",), Provider.WHATSAPP: ("131056",)}


@dataclass(frozen=True, slots=True)
class Pause:
    """What a provider asked for by a throttle."""

    whole_integration: bool
    until: datetime


def pause_of(provider: Provider, outcome: Outcome, now: datetime) -> Pause | None:
    """The pause that an outcome asks for, if it does."""
    if not isinstance(outcome, Throttled):
        return None
    one = outcome.reason.startswith(_OF_DESTINATION.get(provider, ()))
    return Pause(not one, now + timedelta(seconds=patience(outcome.retry_after)))
