"""Deliver within limits: what waits has a time of its own, spends nothing, and is called once then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from nofy.domain.breaker import FAILURES
from nofy.domain.errors import ScheduleUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.limits import Go
from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, RejectionKind, Throttled, Transient
from nofy.domain.records import read_ack
from nofy.domain.retry import GiveUp, Park
from nofy.domain.routing import ACKS_TOPIC, Channel, MessageClass
from nofy.pipeline.deliver import Delivered
from nofy.pipeline.reserve import reserve
from tests.fakes.world import World

ONE_A_SECOND = {"per_second": 1, "burst": 1}


def accept(world: World, count: int, **plan: Any) -> list[UUID]:
    return [world.accepted(**plan) for _ in range(count)]


def deliver(world: World, count: int, **plan: Any) -> Delivered:
    accept(world, count, **plan)
    world.dispatch()
    (delivered,) = world.consume()
    return delivered


def run(world: World, seconds: float) -> None:
    """Everything but the reconciler, in half seconds."""
    until = world.clock() + timedelta(seconds=seconds)
    while world.clock() < until:
        world.dispatch()
        world.consume()
        world.acknowledge()


def watched(world: World, answer: Outcome | None = None) -> list[datetime]:
    """The times of the provider's calls."""
    times: list[datetime] = []

    def call(_: object) -> Outcome:
        times.append(world.clock())
        return answer or Accepted()

    world.sender.otherwise = call
    return times


def test_what_is_over_the_limit_is_parked_until_its_slot_and_spends_nothing(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    began = world.clock()
    done = deliver(world, 3)
    assert (len(world.sender.ledger), done.rate_limited, done.circuit_open) == (1, 2, 0)
    waiting = [each for each in done.reports if each.outcome == NotTried("rate limited")]
    slots = [each.decision.at for each in waiting if isinstance(each.decision, Park)]
    assert [after - before for before, after in zip([world.clock(), *slots], slots, strict=False)] == [
        timedelta(seconds=1)
    ] * 2
    world.acknowledge()
    rows = [world.row(each.delivery_id) for each in waiting]
    assert [(each.status, each.spent, each.attempt_no, each.due_at) for each in rows] == [
        (Status.RETRYING, 0, 2, slot) for slot in slots
    ]
    assert began < min(slots)


def test_a_backlog_drains_at_the_rate_and_nothing_is_parked_twice(world: World) -> None:
    world.limit(destination={"per_second": 1, "burst": 3}, integration={"per_second": 2, "burst": 1})
    times = watched(world)
    deliveries = accept(world, 20)
    run(world, 30)
    assert [world.status(each) for each in deliveries] == [Status.SENT] * 20
    assert max(world.row(each).attempt_no for each in deliveries) == 2
    seconds = [(each - times[0]).total_seconds() for each in times]
    assert all(after - before >= 1 for before, after in zip(seconds, seconds[4:], strict=False))
    assert seconds[-1] <= 20


def test_what_is_urgent_is_not_behind_the_bulk(world: World) -> None:
    world.limit(integration=ONE_A_SECOND)
    accept(world, 50, message_class=MessageClass.BULK)
    run(world, 2)
    urgent = world.accepted(message_class=MessageClass.CRITICAL)
    run(world, 2)
    assert world.status(urgent) is Status.SENT


def test_what_would_expire_before_its_slot_ends_at_once(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    done = deliver(world, 3, expires_in=3)
    assert sorted(type(each.decision).__name__ for each in done.reports) == ["Done", "GiveUp", "Park"]
    assert [each.decision for each in done.reports if isinstance(each.decision, GiveUp)] == [GiveUp("expired")]


def test_a_throttle_spares_those_who_would_be_throttled_too(world: World) -> None:
    world.sender.answers = [Throttled("ratelimited", 20)]
    deliver(world, 1)
    done = deliver(world, 5)
    assert (len(world.sender.ledger), done.rate_limited) == (1, 5)
    run(world, 25)
    assert len(world.sender.ledger) == 7


def test_a_provider_that_is_down_is_left_alone_and_asked_by_a_few(world: World) -> None:
    times = watched(world, Transient("503"))
    done = deliver(world, FAILURES)
    assert done.circuit_open == 0
    done = deliver(world, 100)
    assert (done.circuit_open, {each.outcome for each in done.reports}) == (100, {NotTried("circuit open")})
    assert len(times) == FAILURES
    run(world, 60)
    assert len(times) <= FAILURES + 10 * 3  # half-open after 3 s, and every 6 s

    back = watched(world)
    run(world, 60)
    assert len(back) == 100 + FAILURES
    assert all(world.status(each) is Status.SENT for each in world.store.tables.deliveries)


def test_an_outage_is_followed_by_the_rate_and_by_no_burst(world: World) -> None:
    world.limit(integration={"per_second": 5, "burst": 1})
    watched(world, Transient("503"))
    accept(world, 100)
    run(world, 60)
    times = watched(world)
    run(world, 90)
    assert len(times) == 100
    busiest = max(sum(begin <= each < begin + timedelta(seconds=5) for each in times) for begin in times)
    assert busiest <= 5 * 5 * 1.2 + 3  # and the probes


def test_a_held_integration_drains_at_the_rate_when_it_is_mended(world: World) -> None:
    world.sender.otherwise = lambda _: Rejected(RejectionKind.CONFIG, "revoked")
    deliveries = accept(world, 8)
    run(world, 2)
    assert {world.status(each) for each in deliveries} == {Status.HELD}
    for row in world.store.tables.integrations.values():
        row.credential_version += 1
    world.limit(integration=ONE_A_SECOND)
    times = watched(world)
    world.sweep()
    run(world, 12)
    assert {world.status(each) for each in deliveries} == {Status.SENT}
    assert times[-1] - times[0] >= timedelta(seconds=7)


def test_a_lost_limiter_starts_anew(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    deliver(world, 3)
    world.limiter.wipe()
    run(world, 5)
    assert all(world.status(each) is Status.SENT for each in world.store.tables.deliveries)


@pytest.mark.parametrize("error", [ScheduleUnavailableError("down"), RuntimeError("a bug")])
def test_without_a_limiter_everybody_goes_and_every_report_is_told(world: World, error: Exception) -> None:
    world.limit(destination=ONE_A_SECOND)
    with world.faults.down(error, "reserve", "learn"):
        done = deliver(world, 5)
    assert (len(world.sender.ledger), done.rate_limited) == (5, 0)
    assert len(world.bus.records(ACKS_TOPIC)) == 5


def test_what_a_test_token_sent_asks_nobody(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    deliver(world, 2)
    live = world.sender.ledger[0]
    test = replace(live, live=False)
    assert reserve([test, test, test], world.limiter, world.clock()) == [Go()] * 3


def test_what_waits_is_told_before_the_others_are_called(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    told: list[int] = []

    def call(_: object) -> Outcome:
        told.append(len(world.bus.records(ACKS_TOPIC)))
        return Accepted()

    world.sender.otherwise = call
    deliver(world, 4)
    assert told == [3]


def test_what_waits_and_kafka_refused_is_kept_and_told_by_the_reconciler(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    deliveries = accept(world, 3)
    world.dispatch()
    world.bus.refuses = lambda record: record.topic == ACKS_TOPIC
    (done,) = world.consume()
    assert done.kept == 3
    world.bus.refuses = lambda _: False
    world.clock.advance(1)
    world.sweep()
    assert len([read_ack(each.value) for each in world.bus.records(ACKS_TOPIC)]) == 3
    run(world, 5)
    assert [world.calls(each) for each in deliveries] == [[1], [2], [2]]


def test_what_waits_is_no_failed_attempt(world: World) -> None:
    world.limit(destination=ONE_A_SECOND)
    (figures,) = deliver(world, 4).attempts
    assert (figures.channel, figures.attempts_all, figures.attempts_failed) == (Channel.SLACK, 1, 0)
