"""Lag: who waits for a claim and how long, named for as much as it may cost."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from nofy.domain.delivery import Fence, Waiting
from nofy.domain.ids import Prefix, encode
from nofy.domain.routing import Channel, Lane, Priority
from nofy.pipeline.lag import MOST_IN_AN_HOUR, ON_TIME_MS, WORST, Lags, LaneLag, ProjectLag
from tests.fakes import NOON

SLACK, EMAIL = Lane(Channel.SLACK, Priority.HIGH), Lane(Channel.EMAIL, Priority.LOW)
MINUTE = timedelta(minutes=1)


def late(seconds: float, project: int = 1, lane: Lane = SLACK) -> Waiting:
    fence = Fence(UUID(int=project), 1, NOON - timedelta(seconds=seconds))
    return Waiting(fence, UUID(int=project), lane, "C0123", NOON + MINUTE, integration_held=False, weight=1)


def name(project: int) -> str:
    return encode(Prefix.PROJECT, UUID(int=project))


def named(lags: Lags, projects: range, minute: int = 0) -> set[str]:
    lags.note([late(100 + each, each) for each in projects], NOON)
    return {each.project for each in lags.take(NOON + minute * MINUTE).projects}


def test_the_largest_of_each_lane_and_project_is_told_the_worst_first() -> None:
    lags = Lags()
    lags.note([late(2), late(5), late(3), late(7, 2, EMAIL), late(0.2, 3)], NOON)
    told = lags.take(NOON)
    assert told.lanes == (LaneLag(EMAIL.name, 7_000), LaneLag(SLACK.name, 5_000))
    assert told.projects == (ProjectLag(name(2), 7_000), ProjectLag(name(1), 5_000))


def test_whoever_is_on_time_is_not_named() -> None:
    lags = Lags()
    lags.note([late(ON_TIME_MS / 1_000)], NOON)
    told = lags.take(NOON)
    assert (told.lanes, told.projects) == ((LaneLag(SLACK.name, ON_TIME_MS),), ())


def test_it_begins_anew_once_it_was_told() -> None:
    lags = Lags()
    lags.note([late(5)], NOON)
    lags.take(NOON)
    told = lags.take(NOON)
    assert (told.lanes, told.projects) == ((), ())


def test_it_is_to_be_told_a_minute_after_the_first_that_was_noted() -> None:
    lags = Lags()
    assert not lags.ripe(NOON)
    lags.note([late(1)], NOON)
    lags.note([late(1)], NOON + MINUTE / 2)
    assert not lags.ripe(NOON + MINUTE * 0.99)
    assert lags.ripe(NOON + MINUTE)
    lags.take(NOON + MINUTE)
    assert not lags.ripe(NOON + MINUTE)


def test_only_the_worst_are_named() -> None:
    assert named(Lags(), range(1, 31)) == {name(each) for each in range(31 - WORST, 31)}


def test_no_more_projects_are_named_in_an_hour_than_it_may_cost() -> None:
    lags = Lags()
    first = named(lags, range(100, 100 + WORST)) | named(lags, range(200, 200 + WORST), 1)
    assert len(first) == MOST_IN_AN_HOUR
    assert named(lags, range(300, 300 + WORST), 2) == set()
    assert named(lags, range(100, 100 + WORST), 59) <= first
    assert len(named(lags, range(300, 300 + WORST), 60)) == WORST
