"""How much a project may ask for: the same cases on memory and on Redis, and the two told the same random stories."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from redis import Redis

from nofy.adapters.redis.quotas import RedisQuotas
from nofy.domain.accounts import ProjectLimits
from nofy.domain.errors import ScheduleUnavailableError
from nofy.ports.accounts import Allowance, Quotas
from tests.fakes import NOON
from tests.fakes.quotas import MemoryQuotas

PROJECT, OTHER = UUID(int=1), UUID(int=2)
LIMITS = ProjectLimits(requests_per_second=2, burst=3, notifications_per_day=10)
DAY = 86_400


def on_redis(url: str, *, cluster: bool = False) -> Iterator[RedisQuotas]:
    with Redis.from_url(url) as client:
        client.flushall()
    quotas = RedisQuotas(url, timeout=3, cluster=cluster)
    yield quotas
    quotas.close()


@pytest.fixture
def real(redis_url: str) -> Iterator[RedisQuotas]:
    yield from on_redis(redis_url)


@pytest.fixture
def cluster(redis_cluster_url: str) -> Iterator[RedisQuotas]:
    yield from on_redis(redis_cluster_url, cluster=True)


@pytest.fixture(params=["memory", "real", "cluster"])
def quotas(request: pytest.FixtureRequest) -> Quotas:
    return MemoryQuotas() if request.param == "memory" else request.getfixturevalue(request.param)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def asked(quotas: Quotas, *moments: float, project: UUID = PROJECT, limits: ProjectLimits = LIMITS) -> list[Allowance]:
    return [quotas.ask(project, limits, after(each)) for each in moments]


def test_a_burst_goes_at_once_and_then_one_each_interval(quotas: Quotas):
    burst = asked(quotas, 0, 0, 0, 0)
    assert [each.allowed for each in burst] == [True, True, True, False]
    assert [(each.limit, each.remaining, each.reset) for each in burst] == [(3, 2, 1), (3, 1, 1), (3, 0, 2), (3, 0, 2)]
    assert [each.retry_after for each in burst] == [0, 0, 0, 1]
    assert [each.allowed for each in asked(quotas, 0.499, 0.5, 0.5, 1.0)] == [False, True, False, True]


def test_who_is_refused_does_not_wait_longer_for_it(quotas: Quotas):
    asked(quotas, *[0] * 50)
    assert asked(quotas, 0.5)[0].allowed


def test_after_a_quiet_time_all_of_it_is_there_again(quotas: Quotas):
    asked(quotas, 0, 0, 0)
    assert [each.remaining for each in asked(quotas, 60, 60)] == [2, 1]


def test_a_clock_that_runs_behind_takes_nothing_that_is_not_there(quotas: Quotas):
    asked(quotas, 0, 0, 0)
    assert not asked(quotas, -0.3)[0].allowed


def test_projects_do_not_share(quotas: Quotas):
    asked(quotas, 0, 0, 0)
    assert asked(quotas, 0, project=OTHER)[0].allowed


def test_an_operator_who_lowers_a_limit_is_heard_at_once(quotas: Quotas):
    asked(quotas, 0, 0, 0)
    assert not asked(quotas, 0.5, limits=ProjectLimits(requests_per_second=0.1, burst=1))[0].allowed


def test_a_days_quota_is_had_all_or_none(quotas: Quotas):
    spent = [quotas.spend(PROJECT, LIMITS, each, NOON) for each in (6, 5, 4, 1)]
    assert [(each.allowed, each.limit, each.remaining) for each in spent] == [
        (True, 10, 4),
        (False, 10, 4),
        (True, 10, 0),
        (False, 10, 0),
    ]
    assert {each.reset for each in spent} == {DAY // 2}
    assert [each.retry_after for each in spent] == [0, DAY // 2, 0, DAY // 2]


def test_it_begins_anew_at_midnight_in_utc(quotas: Quotas):
    quotas.spend(PROJECT, LIMITS, 10, after(DAY / 2 - 1))
    assert not quotas.spend(PROJECT, LIMITS, 1, after(DAY / 2 - 0.001)).allowed
    assert quotas.spend(PROJECT, LIMITS, 10, after(DAY / 2)).allowed


def test_what_was_not_used_can_be_given_back_and_no_more_than_that(quotas: Quotas):
    quotas.spend(PROJECT, LIMITS, 10, NOON)
    assert quotas.spend(PROJECT, LIMITS, -4, NOON).remaining == 4
    assert quotas.spend(PROJECT, LIMITS, -400, NOON).remaining == 10
    assert not quotas.spend(PROJECT, LIMITS, 11, NOON).allowed


def test_a_quota_that_was_lowered_below_what_is_used_leaves_nothing(quotas: Quotas):
    quotas.spend(PROJECT, LIMITS, 10, NOON)
    refused = quotas.spend(PROJECT, ProjectLimits(notifications_per_day=5), 1, NOON)
    assert (refused.allowed, refused.remaining) == (False, 0)


def test_the_version_is_another_one_after_each_change_and_the_same_between(quotas: Quotas):
    versions = []
    for _ in range(4):
        versions.append(asked(quotas, len(versions) * 60)[0].version)
        assert asked(quotas, len(versions) * 60 - 30)[0].version == versions[-1]
        quotas.changed(PROJECT)
    assert len(set(versions)) == 4
    assert None not in versions
    assert asked(quotas, 0, project=OTHER)[0].version == versions[0]


def test_who_is_refused_is_told_the_version_all_the_same(quotas: Quotas):
    quotas.changed(PROJECT)
    allowed, *_, refused = asked(quotas, 0, 0, 0, 0)
    assert (refused.allowed, refused.version) == (False, allowed.version)


@pytest.mark.parametrize("seed", range(20))
def test_redis_and_memory_tell_the_same_of_any_story(real: RedisQuotas, seed: int):
    choose, memory, now = random.Random(seed), MemoryQuotas(), NOON
    limits = [
        ProjectLimits(rate, burst, notifications_per_day=quota)
        for rate, burst, quota in ((3.0, 5, 40), (0.7, 1, 7), (1_000.0, 2_000, 1_000_000), (50.0, 200, 100))
    ]
    for _ in range(200):
        now += timedelta(microseconds=choose.choice([0, 1, 333_333, 700_000, 40_000_000, 3_600_000_000]))
        project = choose.choice([PROJECT, OTHER])
        limit, count = limits[project.int if seed % 2 else choose.randrange(4)], choose.randint(-3, 9)
        if choose.random() < 0.7:
            mine, theirs = (each.ask(project, limit, now) for each in (memory, real))
            assert mine.version is not None
            mine, theirs = (Allowance(*_figures(each)) for each in (mine, theirs))
        else:
            mine, theirs = (each.spend(project, limit, count, now) for each in (memory, real))
        assert mine == theirs


def _figures(allowance: Allowance) -> tuple[bool, int, int, int, int]:
    return allowance.allowed, allowance.limit, allowance.remaining, allowance.reset, allowance.retry_after


def test_a_redis_that_lost_everything_lets_everybody_in_and_tells_another_version(redis_url: str, real: RedisQuotas):
    real.changed(PROJECT)
    before = asked(real, 0, 0, 0)[-1]
    with Redis.from_url(redis_url) as client:
        client.flushall()
    lost = asked(real, 0)[0]
    assert lost.allowed
    assert lost.version != before.version


def test_nothing_is_kept_for_ever_and_a_projects_keys_live_together(redis_url: str, real: RedisQuotas):
    asked(real, 0)
    real.spend(PROJECT, LIMITS, 1, NOON)
    real.changed(PROJECT)
    with Redis.from_url(redis_url) as client:
        keys = client.keys()
        assert {key.decode().partition("}")[0] for key in keys} == {f"nofy:{{{PROJECT.hex}"}
        lives = sorted(client.ttl(key) for key in keys)
    assert 0 < lives[0] <= 3
    assert 3_500 < lives[1] <= 3_600
    assert DAY < lives[2] <= 2 * DAY


def test_each_question_is_one_trip(real: RedisQuotas):
    asked(real, 0, 0)
    real.spend(PROJECT, LIMITS, 1, NOON)
    real.changed(PROJECT)
    assert real.trips == 4


QUESTIONS = {
    "ask": lambda quotas: quotas.ask(PROJECT, LIMITS, NOON),
    "spend": lambda quotas: quotas.spend(PROJECT, LIMITS, 1, NOON),
    "changed": lambda quotas: quotas.changed(PROJECT),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("cluster", [False, True])
def test_a_redis_that_refuses_connections_is_told_as_such(question: str, cluster: bool):
    quotas = RedisQuotas("redis://127.0.0.1:1/0", timeout=0.25, cluster=cluster)
    with pytest.raises(ScheduleUnavailableError):
        QUESTIONS[question](quotas)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_redis_that_swallows_packets_holds_nobody_for_long(question: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        quotas = RedisQuotas(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout=0.25)
        began = time.monotonic()
        with pytest.raises(ScheduleUnavailableError):
            QUESTIONS[question](quotas)
        assert time.monotonic() - began < 3
        quotas.close()
