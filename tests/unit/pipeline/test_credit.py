"""Credit: due work waits where it can still be reordered, cancelled and shared, and an idle system asks nothing."""

from __future__ import annotations

from uuid import UUID

import pytest

from nofy.domain.delivery import Fence, Waiting
from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.pipeline.credit import (
    BEYOND,
    DEFAULT_TARGET,
    FLOOR,
    FLOOR_UNMEASURED,
    MEASURE_EVERY,
    SHARED,
    TURN_LIMIT,
    TURN_LIMIT_BESIDE_URGENT,
    LaneCredit,
)
from nofy.pipeline.target import BATCHES_AHEAD, LEAST_A_PARTITION
from nofy.pipeline.unread import HELD
from nofy.ports.bus import Placement
from tests.fakes import NOON, ManualClock

LANE = Lane(Channel.EMAIL, Priority.LOW)
TARGET = 2_000
BUSY, QUIET = UUID(int=1), UUID(int=2)


def due(project: UUID, lane: Lane = LANE) -> Waiting:
    return Waiting(Fence(project, 1, NOON), project, lane, "ada@example.com", NOON, integration_held=False, weight=1)


class Topic:
    """A lane's topic of one partition as Kafka tells of it, counting what it is asked."""

    def __init__(self, end: int | None = 0, read: int = 0) -> None:
        self.end, self.read, self.down = end, read, False
        self.asked: list[str] = []

    def committed(self, group: str, topic: str) -> dict[int, int]:
        assert (group, topic) == (LANE.group, LANE.topic)
        self._ask("committed")
        return {0: self.read}

    def ends(self, topic: str) -> dict[int, int] | None:
        assert topic == LANE.topic
        self._ask("ends")
        return None if self.end is None else {0: self.end}

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise BusUnavailableError("down")


class Desk:
    """A credit, its clock and its topic, and somebody who spends."""

    def __init__(self, topic: Topic | None = None, targets: dict[str, int] | None = None) -> None:
        self.topic, self.clock = topic or Topic(), ManualClock()
        self.credit = LaneCredit(self.topic, self.clock, targets or {LANE.name: TARGET})
        self.credit.begin()

    def spend(self, records: int, lane: Lane = LANE, project: UUID = BUSY) -> None:
        """Put so many at the end of the topic."""
        first = self.topic.end or 0
        self.credit.spend((due(project, lane), Placement(0, first + number)) for number in range(records))
        if lane == LANE and self.topic.end is not None:
            self.topic.end += records

    def limit(self, lane: Lane = LANE) -> int:
        return self.credit.limits().get(lane, 0)


# Credit


def test_an_idle_lane_has_a_whole_turn_and_nobody_is_asked() -> None:
    desk = Desk()
    assert desk.credit.limits() == dict.fromkeys(LANES, TURN_LIMIT)
    assert desk.topic.asked == []


def test_a_lane_that_nobody_told_of_has_the_target_of_one_partition() -> None:
    desk = Desk(targets={"another": 1})
    desk.spend(DEFAULT_TARGET - 70)
    assert desk.limit() == 70


def test_lanes_are_served_high_before_low() -> None:
    priorities = [each.priority for each in Desk().credit.limits()]
    assert priorities == sorted(priorities, key=list(Priority).index)


def test_what_the_consumers_have_not_read_is_taken_off() -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.topic.read = 300
    assert desk.limit() == 300


def test_a_lane_without_credit_is_not_among_the_limits_and_comes_back_when_its_consumers_read() -> None:
    desk = Desk()
    desk.spend(2 * TARGET)
    assert LANE not in desk.credit.limits()
    desk.topic.read = 2 * TARGET
    desk.clock.advance(0.1)
    assert desk.limit() == TURN_LIMIT


# Measuring


def test_a_lane_is_measured_when_half_of_its_credit_is_gone() -> None:
    desk = Desk()
    desk.spend(TARGET // 2 - 1)
    desk.limit()
    assert desk.topic.asked == []
    desk.spend(1)
    desk.limit()
    assert desk.topic.asked == ["ends", "committed"]


def test_where_a_topic_ends_is_asked_once_a_run_and_then_known_from_what_was_put_there() -> None:
    desk = Desk(Topic(end=700, read=600))
    desk.spend(TARGET // 2)
    assert desk.limit() == TURN_LIMIT
    desk.spend(500)
    desk.clock.advance(1)
    assert desk.limit() == TARGET - (desk.topic.end or 0) + 600 == 400
    assert desk.topic.asked == ["ends", "committed", "committed"]


def test_another_run_knows_no_end_as_others_may_have_produced_meanwhile() -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.limit()
    desk.topic.end, desk.topic.read = 9_000, 9_000 - TARGET + 100
    desk.credit.begin()
    desk.clock.advance(1)
    assert desk.limit() == 100
    assert desk.topic.asked.count("ends") == 2


def test_a_lane_is_measured_so_often_at_most() -> None:
    desk = Desk()
    desk.spend(TARGET)
    for _ in range(20):
        desk.limit()
        desk.clock.advance(MEASURE_EVERY.total_seconds() / 4)
    assert desk.topic.asked.count("committed") == 5


def test_one_lanes_lag_is_no_other_lanes() -> None:
    desk = Desk()
    desk.spend(2 * TARGET)
    assert desk.credit.limits() == dict.fromkeys([each for each in LANES if each != LANE], TURN_LIMIT)


def test_a_broker_that_cannot_be_believed_leaves_a_lane_its_whole_credit() -> None:
    desk = Desk(Topic(end=None))
    for _ in range(5):
        desk.spend(TARGET)
        desk.clock.advance(0.1)
        assert desk.limit() == TURN_LIMIT
    assert "committed" not in desk.topic.asked


# Floors


def given(desk: Desk, seconds: float, every: float) -> int:
    """To anybody."""
    total = 0
    for _ in range(round(seconds / every)):
        desk.clock.advance(every)
        limit = desk.limit()
        total += 0 if desk.credit.holders.get(LANE) else limit
    return total


@pytest.mark.parametrize("every", [0.003, 0.1, 0.19, 0.7])
def test_even_a_lane_whose_consumers_never_read_gets_its_floor_by_the_second_however_long_a_turn_is(
    every: float,
) -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.limit()
    assert FLOOR * 9 <= given(desk, 10, every) <= FLOOR * 10


def test_a_floor_is_not_saved_up() -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.limit()
    assert given(desk, 60, 60) == FLOOR


def test_a_lag_that_cannot_be_known_leaves_the_credit_as_it_was_and_a_floor_that_keeps_the_lane_going() -> None:
    desk = Desk()
    desk.topic.down = True
    desk.spend(TARGET - 200)
    assert desk.limit() == 200
    desk.spend(200)
    desk.limit()
    assert FLOOR_UNMEASURED * 9 <= given(desk, 10, 0.1) <= FLOOR_UNMEASURED * 10
    desk.topic.down = False
    assert given(desk, 10, 0.1) <= FLOOR * 10


# Sharing


def test_a_lane_that_changed_hands_has_little_unread_until_a_minute_after() -> None:
    desk = Desk()
    desk.spend(100)
    assert desk.limit() == TURN_LIMIT
    desk.spend(1, project=QUIET)
    desk.topic.read = 101
    assert desk.limit() == LEAST_A_PARTITION // BATCHES_AHEAD  # (the other batch is in nobody's hands yet)
    desk.clock.advance(SHARED.total_seconds())
    assert desk.limit() == LEAST_A_PARTITION // BATCHES_AHEAD
    desk.clock.advance(1)
    assert desk.limit() == TURN_LIMIT


def test_what_shared_lanes_may_have_unread_follows_their_consumers() -> None:
    desk = Desk()
    desk.spend(1)
    desk.spend(1, project=QUIET)
    for _ in range(100):  # a second's provider that bears more than it is asked
        desk.spend(desk.limit())
        desk.clock.advance(0.5)
        desk.limit()
        desk.clock.advance(0.5)
        desk.topic.read = desk.topic.end or 0
    assert desk.limit() > 3 * LEAST_A_PARTITION


def test_who_has_next_to_nothing_unread_does_not_wait_for_credit_that_another_holds() -> None:
    desk = Desk()
    desk.spend(TARGET)
    assert desk.limit() == BEYOND
    assert desk.credit.holders == {LANE: frozenset({BUSY})}
    desk.spend(1, project=QUIET)
    desk.limit()
    assert desk.credit.holders == {LANE: frozenset({BUSY})}
    desk.spend(HELD, project=QUIET)
    desk.limit()
    assert desk.credit.holders == {LANE: frozenset({BUSY, QUIET})}


def test_who_held_credit_holds_it_no_more_once_its_records_were_read() -> None:
    desk = Desk()
    desk.spend(HELD)
    desk.spend(TARGET, project=QUIET)
    desk.limit()
    assert desk.credit.holders == {LANE: frozenset({BUSY, QUIET})}
    desk.topic.read = HELD
    desk.clock.advance(0.06)
    desk.limit()
    assert desk.credit.holders == {LANE: frozenset({QUIET})}


def test_what_goes_beyond_the_credit_is_no_more_than_the_credit_again() -> None:
    desk = Desk(targets={LANE.name: 20})
    desk.spend(20)
    for number in range(100):
        desk.spend(desk.limit(), project=UUID(int=100 + number))
    assert desk.topic.end
    assert 20 < desk.topic.end <= 40


def test_where_nobody_holds_much_nobody_goes_beyond_the_credit() -> None:
    desk = Desk(targets={LANE.name: 20})
    for number in range(20):
        desk.spend(1, project=UUID(int=100 + number))
    assert desk.limit() == 0
    assert desk.credit.holders == {LANE: frozenset()}


# Urgency


def test_less_urgent_lanes_have_short_turns_while_somebody_urgent_is_about() -> None:
    desk = Desk()
    high, normal = Lane(Channel.SLACK, Priority.HIGH), Lane(Channel.SLACK, Priority.NORMAL)
    desk.spend(1, normal)
    assert [desk.limit(each) for each in (high, normal, LANE)] == [TURN_LIMIT, TURN_LIMIT, TURN_LIMIT_BESIDE_URGENT]
    desk.spend(1, high)
    assert [desk.limit(each) for each in (high, normal, LANE)] == [
        TURN_LIMIT,
        TURN_LIMIT_BESIDE_URGENT,
        TURN_LIMIT_BESIDE_URGENT,
    ]
    desk.clock.advance(1)
    assert [desk.limit(each) for each in (high, normal, LANE)] == [TURN_LIMIT] * 3


def test_a_lane_is_not_urgent_to_itself() -> None:
    desk = Desk()
    desk.spend(1)
    assert desk.limit() == TURN_LIMIT


def test_records_go_where_their_keys_lead_as_long_as_one_project_uses_a_lane() -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.limit()
    assert desk.credit.partitions(LANE, [BUSY] * 3) == [(None,)] * 3


def test_where_projects_share_a_lane_records_go_where_batches_are_shortest() -> None:
    desk = Desk()
    desk.spend(TARGET)
    desk.spend(1, project=QUIET)
    desk.limit()
    assert desk.credit.partitions(LANE, [BUSY] * 3) == [(0,)] * 3


def test_while_kafka_refuses_records_no_partition_is_chosen() -> None:
    """The one in which nothing can be placed has the least unread, and would get everything."""
    desk = Desk()
    desk.spend(TARGET)
    desk.spend(1, project=QUIET)
    desk.limit()
    desk.credit.refuse([LANE])
    assert desk.credit.partitions(LANE, [BUSY]) == [(None,)]
    desk.clock.advance(SHARED.total_seconds() + 1)
    desk.spend(1)
    desk.spend(1, project=QUIET)
    assert desk.credit.partitions(LANE, [BUSY]) == [(0,)]
