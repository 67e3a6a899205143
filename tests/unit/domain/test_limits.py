"""Rates: what each provider bears, who has which slot, and that no history of slots breaks a rate."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.breaker import Breaker
from nofy.domain.limits import Bucket, Cause, Go, Pause, Standing, Wait, ask, pause_of
from nofy.domain.outcomes import Accepted, Outcome, Throttled, ThrottleScope, Transient
from nofy.domain.rates import LIMITS, Limits, Rate, limits_of, limits_problem
from nofy.domain.retry import PARK_DEFAULT, RETRY_AFTER_CEILING, RETRY_AFTER_FLOOR
from nofy.domain.routing import Priority, Provider
from tests.fakes import NOON

FOREVER = NOON + timedelta(days=365)
SECOND = timedelta(seconds=1)
NO_LIMITS = Limits(None, None)


def slots(count: int, rate: Rate, priority: Priority = Priority.LOW, bucket: Bucket | None = None) -> list[datetime]:
    taken, bucket = [], bucket or Bucket()
    for _ in range(count):
        slot, bucket = bucket.take(rate, priority, NOON)
        taken.append(slot)
    return taken


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_has_limits_that_settings_could_say(provider: Provider):
    said = {
        name: rate and {"per_second": rate.per_second, "burst": rate.burst}
        for name in ("integration", "destination")
        for rate in [getattr(LIMITS[provider], name)]
    }
    assert limits_problem(said) is None
    assert limits_of(provider, {"limits": said}) == limits_of(provider, {}) == LIMITS[provider]


@pytest.mark.parametrize(
    ("given", "integration", "destination"),
    [
        ({}, Rate(5, 300), Rate(1, 3)),
        ({"integration": {"per_second": 20, "burst": 9}}, Rate(20, 9), Rate(1, 3)),
        ({"destination": None}, Rate(5, 300), None),
        ("nonsense", Rate(5, 300), Rate(1, 3)),
    ],
)
def test_settings_say_what_they_change(given: Any, integration: Rate | None, destination: Rate | None):
    assert limits_of(Provider.SLACK, {"limits": given}) == Limits(integration, destination)


@pytest.mark.parametrize(
    "given",
    [
        "fast",
        [],
        {"channel": None},
        {"integration": 5},
        {"integration": {"per_second": 5}},
        {"integration": {"per_second": 5, "burst": 1, "per_minute": 1}},
        {"integration": {"per_second": 0, "burst": 1}},
        {"integration": {"per_second": float("nan"), "burst": 1}},
        {"integration": {"per_second": True, "burst": 1}},
        {"integration": {"per_second": 5, "burst": 0}},
        {"integration": {"per_second": 5, "burst": 1.5}},
        {"integration": {"per_second": 5, "burst": 10**9}},
    ],
)
def test_limits_that_make_no_sense_have_a_problem(given: Any):
    assert "limits needs" in str(limits_problem(given))


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (Rate(1, 1), [0, 1, 2, 3]),
        (Rate(1, 3), [0, 0, 0, 1]),
        (Rate(10, 1), [0, 0.1, 0.2, 0.3]),
        (Rate(1 / 6, 2), [0, 0, 6, 12]),
    ],
)
def test_slots_of_a_rate(rate: Rate, seconds: list[float]):
    assert slots(4, rate) == [NOON + each * SECOND for each in seconds]


asked = st.lists(st.tuples(st.floats(0, 3), st.sampled_from(Priority)), max_size=80)
rates = st.builds(Rate, st.sampled_from([0.5, 1, 3, 10, 40]), st.integers(1, 12))


@given(rates, asked)
def test_no_stretch_of_time_has_more_slots_than_the_rate_and_its_express_lanes_allow(rate: Rate, history):
    bucket, now, taken = Bucket(), NOON, []
    for seconds, priority in history:
        now += timedelta(seconds=seconds)
        slot, bucket = bucket.take(rate, priority, now)
        assert slot >= now
        taken.append(slot)
    taken.sort()
    for index, begin in enumerate(taken):
        for count, end in enumerate(taken[index:], 1):
            seconds = (end - begin) / SECOND
            express = 2 * (rate.express.burst + seconds * rate.express.per_second)
            assert count <= rate.burst + seconds * rate.per_second + express + 1e-3


@given(rates, st.sampled_from(Priority), st.lists(st.floats(0, 3), max_size=60))
def test_one_priority_alone_gets_the_rate_and_not_a_bit_more(rate: Rate, priority: Priority, pauses: list[float]):
    bucket, now, taken = Bucket(), NOON, []
    for seconds in pauses:
        now += timedelta(seconds=seconds)
        slot, bucket = bucket.take(rate, priority, now)
        taken.append(slot)
    assert taken == sorted(taken)
    for begin, end in zip(taken, taken[rate.burst :], strict=False):
        assert end - begin >= rate.interval


# Asking


class Traffic:
    """Deliveries of one integration to some destinations, who come when they are told, or late."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.now = NOON
        self.integration = Bucket()
        self.destinations: dict[int, Bucket] = defaultdict(Bucket)
        self.slots: dict[int, datetime | None] = {}
        self.waiting: dict[int, datetime] = {}
        self.calls: list[tuple[datetime, int]] = []
        self._about: list[tuple[int, Priority]] = []

    def arrive(self, to: int, priority: Priority) -> None:
        self._about.append((to, priority))
        self.come(len(self._about) - 1)

    def come(self, number: int) -> None:
        to, priority = self._about[number]
        standing = Standing(Breaker(), self.integration, self.destinations[to], self.slots.get(number))
        verdict, after = ask(standing, self.limits, priority, FOREVER, self.now)
        self.integration, self.destinations[to], self.slots[number] = after.integration, after.destination, after.slot
        if isinstance(verdict, Go):
            self.waiting.pop(number, None)
            self.calls.append((self.now, to))
        else:
            assert verdict.until > self.now
            self.waiting[number] = verdict.until

    def due_come(self) -> None:
        for number in [each for each, until in self.waiting.items() if until <= self.now]:
            self.come(number)


def most(rate: Rate, priorities: set[Priority], window: timedelta) -> float:
    """Calls in a window: those at once, a tenth of a burst more where not all is bulk, and the rate."""
    more = 0 if priorities <= {Priority.LOW} else rate.express.burst
    return rate.at_once + more + rate.per_second * (window / SECOND) + 1e-3


def keeps(rate: Rate | None, times: list[datetime], priorities: set[Priority]) -> bool:
    if rate is None:
        return True
    return all(
        count <= most(rate, priorities, end - begin)
        for index, begin in enumerate(times)
        for count, end in enumerate(times[index:], 1)
    )


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.2, 1.0, 7.0, 300.0]),  # then so many arrive, and all who are due come
        st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Priority)), max_size=25),
        st.booleans(),  # or stand still
    ),
    max_size=12,
)


@given(st.none() | rates, st.none() | rates, steps)
def test_whoever_comes_whenever_calls_keep_to_both_rates_and_everybody_goes_in_the_end(
    integration: Rate | None, destination: Rate | None, history
):
    traffic, priorities = Traffic(Limits(integration, destination)), set()
    for seconds, arrivals, stalls in history:
        traffic.now += timedelta(seconds=seconds)
        for to, priority in arrivals:
            priorities.add(priority)
            traffic.arrive(to, priority)
        if not stalls:
            traffic.due_come()
    turns = 0
    while traffic.waiting:
        traffic.now = max(traffic.now, min(traffic.waiting.values()))
        traffic.due_come()
        turns += 1
        assert turns <= 10 * len(traffic.calls) + 100
    assert keeps(integration, [at for at, _ in traffic.calls], priorities)
    for each in range(3):
        assert keeps(destination, [at for at, to in traffic.calls if to == each], priorities)


def test_a_stall_of_ten_minutes_is_followed_by_the_burst_and_the_rate():
    slack = Rate(5, 300)
    traffic = Traffic(Limits(slack, None))
    for each in range(3_300):
        traffic.arrive(each, Priority.LOW)
    began = traffic.now = NOON + timedelta(seconds=600)
    visits = 0
    while traffic.waiting:
        visits += sum(until <= traffic.now for until in traffic.waiting.values())
        traffic.due_come()
        traffic.now += timedelta(seconds=0.3)
    late = [at for at, _ in traffic.calls if at >= began]
    assert sum(at < began + SECOND for at in late) <= 305
    assert len(late) == 3_000
    assert late[-1] - began <= timedelta(seconds=541)  # nothing of the rate is lost
    assert visits <= 2 * len(late)  # nor do they come again and again


def test_what_is_urgent_finds_room_where_bulk_has_just_used_it_up():
    limits = Limits(Rate(10, 1), None)
    standing = Standing(integration=Bucket(called=NOON + timedelta(seconds=0.1)), slot=NOON)
    assert ask(standing, limits, Priority.HIGH, FOREVER, NOON)[0] == Go()
    verdict, after = ask(standing, limits, Priority.LOW, FOREVER, NOON)
    assert verdict == Wait(NOON + timedelta(seconds=0.1), Cause.RATE_LIMITED)
    assert after.slot == NOON


def test_a_slot_is_kept_through_a_pause_that_ends_before_it():
    late = NOON + 60 * SECOND
    standing = Standing(destination=Bucket(paused_until=NOON + SECOND), slot=late)
    assert ask(standing, NO_LIMITS, Priority.LOW, FOREVER, NOON) == (Wait(late, Cause.RATE_LIMITED), standing)


def test_a_slot_that_falls_into_an_open_circuit_is_lost():
    shut = Breaker(opened=1, until=NOON + 5 * SECOND)
    limits = Limits(Rate(1, 1), None)
    _, backlog = Bucket().take(limits.integration, Priority.LOW, NOON + 9 * SECOND)
    verdict, after = ask(Standing(shut, backlog, slot=NOON), limits, Priority.LOW, FOREVER, NOON)
    assert verdict == Wait(NOON + 10 * SECOND, Cause.CIRCUIT_OPEN)
    assert after.slot == NOON + 10 * SECOND


def test_who_goes_through_a_half_open_circuit_is_a_probe_and_who_waits_is_none():
    half_open = Breaker(opened=1, until=NOON)
    verdict, after = ask(Standing(half_open), NO_LIMITS, Priority.LOW, FOREVER, NOON)
    assert (verdict, after.breaker.probes) == (Go(), 1)
    later = Standing(half_open, slot=NOON + SECOND)
    assert ask(later, NO_LIMITS, Priority.LOW, FOREVER, NOON)[1].breaker.probes == 0


def test_who_cannot_go_in_time_takes_no_slot_and_gives_up_the_one_it_had():
    standing = Standing(integration=Bucket(paused_until=NOON + 9 * SECOND), slot=NOON)
    limits = Limits(Rate(1, 1), None)
    verdict, after = ask(standing, limits, Priority.LOW, NOON + 9 * SECOND, NOON)
    assert verdict == Wait(NOON + 9 * SECOND, Cause.RATE_LIMITED)
    assert (after.slot, after.integration) == (None, standing.integration)


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (Throttled("131056: pair", 6, ThrottleScope.DESTINATION), Pause(False, NOON + 6 * SECOND)),
        (Throttled("429", None, ThrottleScope.DESTINATION), Pause(False, NOON + PARK_DEFAULT * SECOND)),
        (Throttled("130429: number", None, ThrottleScope.INTEGRATION), Pause(True, NOON + PARK_DEFAULT * SECOND)),
        (Throttled("429", 0.1), Pause(True, NOON + RETRY_AFTER_FLOOR * SECOND)),
        (Throttled("429", 1e9), Pause(True, NOON + RETRY_AFTER_CEILING * SECOND)),
        (Transient("503"), None),
        (Accepted(), None),
    ],
)
def test_what_a_throttle_pauses(outcome: Outcome, pause: Pause | None):
    assert pause_of(outcome, NOON) == pause
