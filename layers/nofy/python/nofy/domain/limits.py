"""When a delivery's turn is, by what its provider bears (:mod:`nofy.domain.rates`). Pure.

A delivery that has to wait is given a moment of its own, its *slot*, and nobody else gets it. Slots are what is
planned; what happens is counted apart, for owners come late, and all at once after a stall: no call is made that the
calls before it leave no room for. ``adapters/redis/reserve.lua`` and ``learn.lua`` are these functions where many
consumers share one state; ``tests/contract/test_limiter.py`` holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from nofy.domain.breaker import LONG_AGO, Breaker
from nofy.domain.outcomes import Outcome, Throttled, ThrottleScope
from nofy.domain.retry import patience
from nofy.domain.routing import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nofy.domain.rates import Limits, Rate

# Who finds no room at its slot comes again for it within this time of the first room there is, as far as others have
# not been told so: little is lost by a small delay, and no crowd comes again and again after a long one.
SOON = timedelta(seconds=1)


def _never_used() -> dict[Priority, datetime]:
    return dict.fromkeys(Priority, LONG_AGO)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate's state, by the generic cell rate algorithm: for each count, when it will be as if never used.

    ``used`` counts for each priority the slots that it and the more urgent ones took, so that of ``low`` counts all;
    ``express`` counts what went past others' backlog. ``called`` counts calls, and ``told`` goes before it by those
    who come again for room. While paused, nothing goes.
    """

    used: Mapping[Priority, datetime] = field(default_factory=_never_used)
    express: Mapping[Priority, datetime] = field(default_factory=_never_used)
    called: datetime = LONG_AGO
    told: datetime = LONG_AGO
    paused_until: datetime = LONG_AGO

    def take(self, rate: Rate | None, priority: Priority, at: datetime) -> tuple[datetime, Bucket]:
        """The first free slot from ``at`` on, and the bucket without it."""
        if rate is None:
            return at, self
        used = {**self.used, Priority.LOW: max(self.used[Priority.LOW], self.called, self.told)}
        slot, express = _slot(used[Priority.LOW], rate, at), self.express
        among_equals = _slot(used[priority], rate, at)
        if among_equals < slot:
            sooner = _slot(express[priority], rate.express, among_equals)
            if sooner < slot:
                slot, express = sooner, {**express, priority: _next(express[priority], rate.express, among_equals)}
        taken = {each: _next(used[each], rate, at) for each in _no_more_urgent(priority)}
        return slot, replace(self, used={**used, **taken}, express=express)

    def room(self, rate: Rate | None, priority: Priority) -> datetime:
        """From when on a call keeps to the rate, whatever slots say."""
        if rate is None:
            return LONG_AGO
        return self.called - (rate.leeway if priority is Priority.LOW else rate.urgent_leeway)

    def tell(self, rate: Rate | None, room: datetime, now: datetime) -> tuple[datetime, Bucket]:
        """When to come again for one who finds no room before ``room``, and that it was told so."""
        if rate is None or room <= now:
            return now, self
        until = max(room, self.told - rate.tolerance)
        return until, replace(self, told=until + rate.tolerance + rate.interval)

    def call(self, rate: Rate | None, now: datetime) -> Bucket:
        return replace(self, called=_next(self.called, rate, now)) if rate else self

    def pause(self, rate: Rate | None, until: datetime) -> Bucket:
        """Nothing before ``until``, and no burst then: whoever was asked for patience has had its burst."""
        spent = until + rate.tolerance if rate else LONG_AGO
        used = {each: max(tat, spent) for each, tat in self.used.items()}
        called = max(self.called, spent)
        return replace(self, used=used, called=called, paused_until=max(self.paused_until, until))


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

    Whose slot has come goes if the calls made so far leave room. If not, because others were late or more urgent, it
    keeps its slot and comes again for the first room that nobody else was told of; where that is more than
    :data:`SOON` behind the first room there is, it takes a new slot behind all others. So does who asks in a pause or
    while the circuit is open, if its slot lies before their end. Who would have to wait until ``latest`` takes none.

    Somebody goes whenever there is room, for nothing but calls takes it up: where no more come, everybody goes.
    """
    barred = standing.breaker.bars_until(now)
    at = max(now, barred or now, standing.integration.paused_until)
    there = max(now, standing.destination.paused_until)
    cause = Cause.CIRCUIT_OPEN if barred else Cause.RATE_LIMITED
    before, until = standing, standing.slot
    if until is None or until < max(at, there) > now:
        until, standing = _book(standing, limits, priority, at, there)
    if until <= now:
        room = standing.integration.room(limits.integration, priority)
        room_there = standing.destination.room(limits.destination, priority)
        if room <= now >= room_there:
            return Go(), _call(standing, limits, now)
        at, integration = standing.integration.tell(limits.integration, room, now)
        there, destination = standing.destination.tell(limits.destination, room_there, now)
        until, standing = max(at, there), replace(standing, integration=integration, destination=destination)
        if until - max(room, room_there) >= SOON:
            until, standing = _book(before, limits, priority, at, there)
    if until >= latest:
        return Wait(until, cause), replace(before, slot=None)
    return Wait(until, cause), standing


def _book(
    standing: Standing, limits: Limits, priority: Priority, at: datetime, there: datetime
) -> tuple[datetime, Standing]:
    """A slot that both rates have free: the integration's from ``at`` on, and the destination's from ``there`` on.

    Each is booked at its own time: a destination that must wait for an hour does not hold up the integration.
    """
    first, integration = standing.integration.take(limits.integration, priority, at)
    slot, destination = standing.destination.take(limits.destination, priority, max(first, there))
    return slot, replace(standing, integration=integration, destination=destination, slot=slot)


def _call(standing: Standing, limits: Limits, now: datetime) -> Standing:
    return Standing(
        standing.breaker.let_through(now),
        standing.integration.call(limits.integration, now),
        standing.destination.call(limits.destination, now),
    )


@dataclass(frozen=True, slots=True)
class Pause:
    """What a provider asked for by a throttle."""

    whole_integration: bool
    until: datetime


def pause_of(outcome: Outcome, now: datetime) -> Pause | None:
    """The pause that an outcome asks for, if it does."""
    if not isinstance(outcome, Throttled):
        return None
    return Pause(outcome.scope is ThrottleScope.INTEGRATION, now + timedelta(seconds=patience(outcome.retry_after)))
