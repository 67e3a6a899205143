"""Who may call a provider and when: the same cases on memory and on Redis, and the two told the same random stories."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import redis as redis_client

from nofy.adapters.redis.limiter import RedisLimiter
from nofy.domain.breaker import FAILURES, OPEN_FIRST, PATIENCE, PROBES
from nofy.domain.delivery import Fence, Leased
from nofy.domain.errors import ScheduleUnavailableError
from nofy.domain.limits import Cause, Go, Verdict, Wait
from nofy.domain.outcomes import (
    Accepted,
    NotTried,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, Priority, Provider
from nofy.ports.limiter import Limiter
from tests.fakes import NOON, MemoryLimiter

INTEGRATION, OTHER = UUID(int=1), UUID(int=2)


def rate(per_second: float, burst: int) -> dict[str, float]:
    return {"per_second": per_second, "burst": burst}


def delivery(
    number: int = 1,
    *,
    to: str = "C0",
    integration: UUID = INTEGRATION,
    priority: Priority = Priority.NORMAL,
    expires_in: float = 86_400,
    provider: Provider = Provider.SLACK,
    limits: dict[str, Any] | None = None,
) -> Leased:
    """One that bears what ``limits`` say, and without them anything."""
    return Leased(
        fence=Fence(UUID(int=number), 1, NOON),
        project_id=UUID(int=9),
        notification_id=UUID(int=number),
        integration_id=integration,
        channel=Channel.SLACK,
        provider=provider,
        priority=priority,
        destination=to,
        content={},
        settings={"limits": {"integration": None, "destination": None} | (limits or {})},
        credential=b"",
        credential_version=1,
        delivery_mode=DeliveryMode.AT_LEAST_ONCE,
        expires_at=NOON + timedelta(seconds=expires_in),
        spent=0,
        redrive_no=0,
        live=True,
    )


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def limited(seconds: float) -> Wait:
    return Wait(after(seconds), Cause.RATE_LIMITED)


def barred(seconds: float) -> Wait:
    return Wait(after(seconds), Cause.CIRCUIT_OPEN)


def on_redis(url: str, *, cluster: bool = False) -> Iterator[RedisLimiter]:
    client = redis_client.Redis.from_url(url)
    client.flushall()
    limiter = RedisLimiter(url, timeout=3, cluster=cluster)
    yield limiter
    limiter.close()
    client.close()


@pytest.fixture
def real(redis_url: str) -> Iterator[RedisLimiter]:
    yield from on_redis(redis_url)


@pytest.fixture
def cluster(redis_cluster_url: str) -> Iterator[RedisLimiter]:
    yield from on_redis(redis_cluster_url, cluster=True)


@pytest.fixture(params=["memory", "real", "cluster"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    return MemoryLimiter() if request.param == "memory" else request.getfixturevalue(request.param)


def failing(limiter: Limiter, count: int, at: float = 0, outcome: Outcome | None = None) -> None:
    limiter.learn([(delivery(), outcome or Transient("503"))] * count, after(at))


# Rates


def test_without_limits_everybody_goes(limiter: Limiter) -> None:
    assert limiter.reserve([delivery(each) for each in range(200)], NOON) == [Go()] * 200


def test_a_burst_goes_at_once_and_the_others_get_a_slot_each(limiter: Limiter) -> None:
    three = {"destination": rate(1, 3)}
    verdicts = limiter.reserve([delivery(each, limits=three) for each in range(6)], NOON)
    assert verdicts == [Go(), Go(), Go(), limited(1), limited(2), limited(3)]


def test_a_destination_does_not_wait_for_another_one(limiter: Limiter) -> None:
    one = {"destination": rate(1, 1)}
    verdicts = limiter.reserve([delivery(each, to=f"C{each % 2}", limits=one) for each in range(4)], NOON)
    assert verdicts == [Go(), Go(), limited(1), limited(1)]


def test_an_integration_does_not_wait_for_another_one_and_verdicts_come_in_order(limiter: Limiter) -> None:
    one = {"integration": rate(2, 1)}
    mixed = [delivery(n, integration=i, to=str(n), limits=one) for n, i in enumerate([INTEGRATION, OTHER] * 2)]
    assert limiter.reserve(mixed, NOON) == [Go(), Go(), limited(0.5), limited(0.5)]


def test_who_comes_at_its_slot_goes_whatever_came_meanwhile(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    first = [delivery(each, limits=one) for each in range(3)]
    assert limiter.reserve(first, NOON) == [Go(), limited(1), limited(2)]
    late = [delivery(each, limits=one) for each in range(10, 13)]
    assert limiter.reserve(late, after(0.5)) == [limited(3), limited(4), limited(5)]
    assert limiter.reserve([first[1]], after(1)) == [Go()]
    assert limiter.reserve([first[2]], after(60)) == [Go()]  # late, and nobody else calls now


def test_after_a_stall_no_more_go_than_the_rate_allows_and_the_others_come_again_spread_out(limiter: Limiter) -> None:
    """All slots of ten minutes have passed while their owners were kept waiting."""
    slack = {"integration": rate(5, 300)}
    waiting = [delivery(each, to=str(each), priority=Priority.LOW, limits=slack) for each in range(3_300)]
    assert limiter.reserve(waiting, NOON)[299:301] == [Go(), limited(0.2)]
    verdicts = [each for start in range(300, 3_300, 500) for each in limiter.reserve(waiting[start:][:500], after(600))]
    assert verdicts[:300] == [Go()] * 300
    assert verdicts[300:] == [limited(600 + each / 5) for each in range(1, 2_701)]
    assert limiter.reserve([waiting[600]], after(600.2)) == [Go()]


def test_after_a_stall_a_destination_gets_no_burst_either(limiter: Limiter) -> None:
    pair = {"destination": rate(1, 3)}
    waiting = [delivery(each, limits=pair) for each in range(8)]
    limiter.reserve(waiting, NOON)
    verdicts = limiter.reserve(waiting[3:], after(60))
    assert verdicts == [Go()] * 4 + [limited(61)]  # a tenth of a burst more: these are not bulk
    assert limiter.reserve([delivery(9, limits=pair)], after(60)) == [limited(62)]


def test_who_finds_no_room_at_its_slot_keeps_its_place_before_those_who_come_later(limiter: Limiter) -> None:
    one = {"integration": rate(10, 1)}
    owners = [delivery(each, to=str(each), priority=Priority.LOW, limits=one) for each in range(100)]
    assert limiter.reserve(owners, NOON)[-1] == limited(9.9)
    assert limiter.reserve(owners[1:4], after(0.3)) == [Go(), limited(0.4), limited(0.5)]
    assert limiter.reserve([delivery(500, priority=Priority.LOW, limits=one)], after(0.3)) == [limited(10)]
    assert limiter.reserve([owners[2]], after(0.4)) == [Go()]


def test_who_finds_no_room_in_time_gives_its_slot_up_and_takes_nobody_s(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    low = [delivery(each, priority=Priority.LOW, limits=one, expires_in=2.5) for each in range(3)]
    assert limiter.reserve(low, NOON) == [Go(), limited(1), limited(2)]
    assert limiter.reserve(low[1:], after(2)) == [Go(), limited(3)]
    assert limiter.reserve([delivery(9, priority=Priority.LOW, limits=one)], after(2)) == [limited(3)]


def test_slots_that_passed_during_a_pause_are_no_burst_after_it(limiter: Limiter) -> None:
    one = {"destination": rate(1, 1)}
    waiting = [delivery(each, priority=Priority.LOW, limits=one) for each in range(6)]
    limiter.reserve(waiting, NOON)
    limiter.learn([(waiting[0], Throttled("ratelimited", 10, ThrottleScope.DESTINATION))], NOON)
    assert limiter.reserve(waiting[1:4], after(10)) == [Go(), limited(11), limited(12)]


def test_probes_keep_to_the_rate_too(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    waiting = [delivery(each, to=str(each), priority=Priority.LOW, limits=one) for each in range(4)]
    limiter.reserve(waiting, NOON)
    failing(limiter, FAILURES)
    assert limiter.reserve(waiting[1:], after(OPEN_FIRST)) == [Go(), limited(OPEN_FIRST + 1), limited(OPEN_FIRST + 2)]


def test_who_comes_too_early_keeps_its_slot(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    _, second = both = [delivery(each, limits=one) for each in range(2)]
    limiter.reserve(both, NOON)
    assert limiter.reserve([second], after(0.999999)) == [limited(1)]
    assert limiter.reserve([second], after(1)) == [Go()]


def test_a_slot_is_good_for_one_call(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    _, second = both = [delivery(each, limits=one) for each in range(2)]
    limiter.reserve(both, NOON)
    assert limiter.reserve([second, second], after(1)) == [Go(), limited(2)]


def test_a_quiet_time_fills_the_burst_again(limiter: Limiter) -> None:
    two = {"destination": rate(1, 2)}
    limiter.reserve([delivery(each, limits=two) for each in range(2)], NOON)
    assert limiter.reserve([delivery(each, limits=two) for each in range(5, 8)], after(1)) == [
        Go(),
        limited(2),
        limited(3),
    ]
    assert limiter.reserve([delivery(each, limits=two) for each in range(20, 22)], after(100)) == [Go(), Go()]


def test_the_later_of_both_limits_counts(limiter: Limiter) -> None:
    both = {"integration": rate(10, 1), "destination": rate(1, 1)}
    verdicts = limiter.reserve([delivery(each, to="same", limits=both) for each in range(3)], NOON)
    assert verdicts == [Go(), limited(1), limited(2)]
    assert limiter.reserve([delivery(9, to="other", limits=both)], NOON) == [limited(0.3)]


def test_who_would_expire_first_takes_no_slot(limiter: Limiter) -> None:
    one = {"integration": rate(1, 1)}
    hopeless = [delivery(each, limits=one, expires_in=1) for each in range(5)]
    assert limiter.reserve(hopeless, NOON) == [Go(), *[limited(1)] * 4]
    assert limiter.reserve([delivery(9, limits=one)], NOON) == [limited(1)]


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.NORMAL])
def test_what_is_urgent_does_not_stand_behind_a_backlog_of_bulk(limiter: Limiter, priority: Priority) -> None:
    ten = {"integration": rate(10, 1)}
    bulk = [delivery(each, to=str(each), priority=Priority.LOW, limits=ten) for each in range(1_000)]
    assert limiter.reserve(bulk, NOON)[-1] == limited(99.9)
    urgent = [delivery(each, to=str(each), priority=priority, limits=ten) for each in range(2_000, 2_003)]
    assert limiter.reserve(urgent, NOON) == [Go(), limited(1), limited(2)]  # a tenth of the rate, on top
    # What it took is missed by those who come after it.
    assert limiter.reserve([delivery(5_000, priority=Priority.LOW, limits=ten)], NOON) == [limited(100.3)]


def test_what_is_no_more_urgent_than_the_backlog_stands_behind_it(limiter: Limiter) -> None:
    ten = {"integration": rate(10, 1)}
    limiter.reserve([delivery(each, to=str(each), limits=ten) for each in range(100)], NOON)
    high, more = (delivery(each, to=str(each), priority=Priority.HIGH, limits=ten) for each in (200, 201))
    low = delivery(300, priority=Priority.LOW, limits=ten)
    assert limiter.reserve([high, more, delivery(400, limits=ten), low], NOON) == [
        Go(),
        limited(1),
        limited(10.2),
        limited(10.3),
    ]


# What providers say


def test_a_throttled_destination_is_paused_and_no_other(limiter: Limiter) -> None:
    limiter.learn([(delivery(1), Throttled("ratelimited", 7, ThrottleScope.DESTINATION))], NOON)
    assert limiter.reserve([delivery(2), delivery(3, to="C1")], NOON) == [limited(7), Go()]
    assert limiter.reserve([delivery(2)], after(7)) == [Go()]


def test_a_throttle_of_all_pauses_the_integration(limiter: Limiter) -> None:
    limiter.learn([(delivery(1), Throttled("130429: throughput", None, ThrottleScope.INTEGRATION))], NOON)
    verdicts = limiter.reserve([delivery(2, to="C1"), delivery(3, integration=OTHER)], NOON)
    assert verdicts == [limited(5), Go()]


def test_after_a_pause_there_is_no_burst(limiter: Limiter) -> None:
    three = {"destination": rate(1, 3)}
    limiter.learn([(delivery(1, limits=three), Throttled("ratelimited", 4, ThrottleScope.DESTINATION))], NOON)
    verdicts = limiter.reserve([delivery(each, limits=three) for each in range(2, 5)], NOON)
    assert verdicts == [limited(4), limited(5), limited(6)]


def test_a_slot_inside_a_pause_is_lost_and_its_owner_gets_another(limiter: Limiter) -> None:
    one = {"destination": rate(1, 1)}
    two = [delivery(each, limits=one) for each in range(2)]
    limiter.reserve(two, NOON)
    limiter.learn([(two[0], Throttled("ratelimited", 10, ThrottleScope.DESTINATION))], NOON)
    assert limiter.reserve([two[1]], after(1)) == [limited(10)]
    assert limiter.reserve([delivery(9, limits=one)], after(1)) == [limited(11)]
    assert limiter.reserve([two[1]], after(10)) == [Go()]


def test_a_destination_that_must_wait_does_not_hold_up_the_integration(limiter: Limiter) -> None:
    both = {"integration": rate(1, 1), "destination": rate(1 / 60, 1)}
    limiter.learn([(delivery(1, limits=both), Throttled("131056", 600, ThrottleScope.DESTINATION))], NOON)
    assert limiter.reserve([delivery(2, limits=both)], after(1)) == [limited(600)]
    assert limiter.reserve([delivery(3, to="C1", limits=both)], after(1)) == [limited(2)]
    assert limiter.reserve([delivery(4, to="C1", limits=both)], after(1)) == [limited(62)]
    assert limiter.reserve([delivery(5, to="C2", limits=both)], after(1)) == [limited(4)]


# The circuit


@pytest.mark.parametrize("outcome", [Transient("503"), Unknown("silence")])
def test_failures_in_a_row_open_the_circuit(limiter: Limiter, outcome: Outcome) -> None:
    failing(limiter, FAILURES - 1, outcome=outcome)
    assert limiter.reserve([delivery(1)], NOON) == [Go()]
    failing(limiter, 1, outcome=outcome)
    verdicts = limiter.reserve([delivery(2), delivery(3, integration=OTHER)], after(1))
    assert verdicts == [barred(OPEN_FIRST), Go()]


def test_a_success_between_failures_keeps_it_closed(limiter: Limiter) -> None:
    throttled = Throttled("ratelimited", 0, ThrottleScope.DESTINATION)
    for answer in (Accepted(), Rejected(RejectionKind.RECIPIENT, "gone"), throttled):
        failing(limiter, FAILURES - 1)
        limiter.learn([(delivery(1, to="elsewhere"), answer)], NOON)
    failing(limiter, FAILURES - 1, outcome=NotTried("no time"))
    assert limiter.reserve([delivery(2)], NOON) == [Go()]


def test_an_open_circuit_gives_slots_at_the_rate_from_the_moment_it_half_opens(limiter: Limiter) -> None:
    failing(limiter, FAILURES)
    one = {"integration": rate(1, 1)}
    verdicts = limiter.reserve([delivery(each, limits=one) for each in range(3)], NOON)
    assert verdicts == [barred(OPEN_FIRST), barred(OPEN_FIRST + 1), barred(OPEN_FIRST + 2)]


def test_half_open_a_few_probes_go_and_a_success_closes_it(limiter: Limiter) -> None:
    failing(limiter, FAILURES)
    verdicts = limiter.reserve([delivery(each) for each in range(PROBES + 2)], after(OPEN_FIRST))
    assert verdicts == [Go()] * PROBES + [barred(OPEN_FIRST + PATIENCE)] * 2
    limiter.learn([(delivery(0), Accepted())], after(OPEN_FIRST + 1))
    assert limiter.reserve([delivery(99)], after(OPEN_FIRST + 1)) == [Go()]


def test_a_probe_that_fails_opens_it_for_twice_as_long_once(limiter: Limiter) -> None:
    failing(limiter, FAILURES)
    limiter.reserve([delivery(each) for each in range(PROBES)], after(OPEN_FIRST))
    failing(limiter, PROBES, at=OPEN_FIRST)
    assert limiter.reserve([delivery(9)], after(OPEN_FIRST)) == [barred(3 * OPEN_FIRST)]


def test_probes_that_nobody_hears_of_are_followed_by_others(limiter: Limiter) -> None:
    failing(limiter, FAILURES)
    limiter.reserve([delivery(each) for each in range(PROBES)], after(OPEN_FIRST))
    late = after(OPEN_FIRST + PATIENCE)
    assert limiter.reserve([delivery(each) for each in range(10, 10 + PROBES)], late) == [Go()] * PROBES


def test_a_rate_limited_delivery_is_no_probe(limiter: Limiter) -> None:
    failing(limiter, FAILURES)
    one = {"destination": rate(1, 1)}
    to_one = [delivery(each, limits=one) for each in range(4)]
    verdicts = limiter.reserve(to_one, after(OPEN_FIRST))
    assert verdicts == [Go(), *[limited(OPEN_FIRST + each) for each in (1, 2, 3)]]
    assert limiter.reserve([delivery(9, to="C1"), delivery(10, to="C2")], after(OPEN_FIRST)) == [Go(), Go()]


# The same stories


def test_memory_and_redis_give_the_same_verdicts_in_any_history(real: RedisLimiter) -> None:
    for seed in range(25):
        real._connection.of("").flushall()
        memory = MemoryLimiter()
        dice = random.Random(seed)
        limits = _some_limits(dice)
        now = 0.0
        for step in range(60):
            now += dice.choice([0, 0, 0.05, 0.3, 1, 4, 20, 90])
            some = [_some_delivery(dice, limits) for _ in range(dice.randrange(1, 12))]
            assert real.reserve(some, after(now)) == memory.reserve(some, after(now)), f"seed {seed}, step {step}"
            answers = [(each, dice.choice(OUTCOMES)) for each in some if dice.random() < 0.8]
            real.learn(answers, after(now))
            memory.learn(answers, after(now))


OUTCOMES: list[Outcome] = [Transient("503")] * 12 + [
    Accepted(),
    Rejected(RejectionKind.CONTENT, "no"),
    Throttled("130429", 3),
    Throttled("131056", None, ThrottleScope.DESTINATION),
    NotTried("no time"),
]


def _some_limits(dice: random.Random) -> Callable[[], dict[str, Any]]:
    rates = [None, rate(3, 1), rate(7, 20), rate(1 / 6, 45), rate(0.3, 2), rate(30, 2)]
    chosen = {"integration": dice.choice(rates), "destination": dice.choice(rates)}
    return lambda: chosen


def _some_delivery(dice: random.Random, limits: Callable[[], dict[str, Any]]) -> Leased:
    number = dice.randrange(60)
    return delivery(
        number,
        to=f"C{number % 3}",
        integration=OTHER if number < 12 else INTEGRATION,
        priority=dice.choice(list(Priority)),
        expires_in=dice.choice([30, 600, 86_400]),
        provider=Provider.WHATSAPP,
        limits=limits(),
    )


# Only a real Redis


def test_a_batch_is_one_trip_to_reserve_and_one_to_learn_if_there_is_news(real: RedisLimiter) -> None:
    some = [delivery(each, to=str(each), integration=UUID(int=each % 7)) for each in range(500)]
    real.reserve(some, NOON)
    assert real.trips == 1
    real.learn([(each, Accepted()) for each in some], NOON)
    assert real.trips == 1
    real.learn([(each, Transient("503") if each.fence.delivery_id.int % 9 else Accepted()) for each in some], NOON)
    assert real.trips == 2


def test_a_success_is_news_where_another_consumer_failed(real: RedisLimiter, redis_url: str) -> None:
    other = RedisLimiter(redis_url, timeout=3)
    failing(other, FAILURES - 1)
    real.reserve([delivery(1)], NOON)
    real.learn([(delivery(1), Accepted())], NOON)
    failing(other, FAILURES - 1)
    assert other.reserve([delivery(2)], NOON) == [Go()]
    other.close()


def test_what_is_over_is_forgotten_and_people_are_not_named(real: RedisLimiter) -> None:
    one = {"integration": rate(1, 1), "destination": rate(1, 1)}
    real.reserve([delivery(each, to="+15550100", limits=one) for each in range(3)], NOON)
    failing(real, 1)
    keys = real._connection.of("").keys("*")
    assert len(keys) == 4
    assert all(0 < real._connection.of("").pttl(each) <= 3_700_000 for each in keys)
    assert not [each for each in keys if b"1555" in each]
    real.reserve([delivery(9, limits=one)], after(7_300))
    (slots,) = [each for each in keys if each.endswith(b"slots")]
    assert real._connection.of("").zcard(slots) == 0


def test_a_redis_that_is_away_is_told_soon() -> None:
    limiter = RedisLimiter("redis://127.0.0.1:1/0", timeout=0.25)
    began = time.monotonic()
    with pytest.raises(ScheduleUnavailableError):
        limiter.reserve([delivery()], NOON)
    with pytest.raises(ScheduleUnavailableError):
        limiter.learn([(delivery(), Transient("503"))], NOON)
    assert time.monotonic() - began < 2


def test_a_redis_that_forgot_everything_lets_everybody_go(real: RedisLimiter) -> None:
    one = {"integration": rate(1, 1)}
    some: list[Leased] = [delivery(each, limits=one) for each in range(2)]
    verdicts: list[Verdict] = real.reserve(some, NOON)
    real._connection.of("").flushall()
    assert (verdicts, real.reserve(some[1:], NOON)) == ([Go(), limited(1)], [Go()])
