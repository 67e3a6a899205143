"""Credit: due work waits where it can still be reordered, cancelled and shared, and an idle system asks nothing."""

from __future__ import annotations

from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.pipeline.credit import FLOOR, MEASURE_AFTER, TARGET_LAG, TURN_LIMIT, LaneCredit
from tests.fakes import ManualClock

LANE = Lane(Channel.EMAIL, Priority.LOW)


class Lagging:
    """Offsets that answer from a script and count how often they are asked."""

    def __init__(self, lag: int | None) -> None:
        self.now, self.asked = lag, 0

    def committed(self, group: str, topic: str) -> dict[int, int]:
        raise AssertionError(f"{group} and {topic}: nobody needs to know")

    def lag(self, group: str, topic: str) -> int:
        assert (group, topic) == (LANE.group, LANE.topic)
        self.asked += 1
        if self.now is None:
            raise BusUnavailableError("down")
        return self.now


def spent(lagging: Lagging, records: int, clock: ManualClock | None = None) -> LaneCredit:
    credit = LaneCredit(lagging, clock or ManualClock())
    credit.spend([LANE] * records)
    return credit


def test_an_idle_lane_has_a_whole_turn_and_nobody_is_asked() -> None:
    lagging = Lagging(0)
    assert spent(lagging, 0).limits() == dict.fromkeys(LANES, TURN_LIMIT)
    assert lagging.asked == 0


def test_lanes_are_served_high_before_low() -> None:
    priorities = [each.priority for each in spent(Lagging(0), 0).limits()]
    assert priorities == sorted(priorities, key=list(Priority).index)


def test_a_lane_is_measured_when_half_of_its_credit_is_gone() -> None:
    lagging = Lagging(0)
    assert spent(lagging, MEASURE_AFTER - 1).limits()[LANE] == TURN_LIMIT
    assert lagging.asked == 0
    assert spent(lagging, MEASURE_AFTER).limits()[LANE] == TURN_LIMIT
    assert lagging.asked == 1


def test_what_the_consumers_have_not_read_is_taken_off() -> None:
    assert spent(Lagging(TARGET_LAG - 100), MEASURE_AFTER).limits()[LANE] == 100


def test_even_a_lane_that_lags_gets_its_floor() -> None:
    assert spent(Lagging(10 * TARGET_LAG), MEASURE_AFTER).limits()[LANE] == FLOOR


def test_a_lane_is_measured_once_a_second_at_most() -> None:
    clock, lagging = ManualClock(), Lagging(TARGET_LAG)
    credit = spent(lagging, MEASURE_AFTER, clock)
    for _ in range(5):
        credit.limits()
        clock.advance(0.3)
    assert lagging.asked == 2


def test_one_lanes_lag_is_no_other_lanes() -> None:
    limits = spent(Lagging(TARGET_LAG), MEASURE_AFTER).limits()
    assert {limit for lane, limit in limits.items() if lane != LANE} == {TURN_LIMIT}


def test_a_lag_that_cannot_be_known_leaves_the_credit_as_it_was() -> None:
    credit = spent(Lagging(None), TARGET_LAG - 200)
    assert credit.limits()[LANE] == 200


def test_a_lane_recovers_when_its_consumers_catch_up() -> None:
    clock, lagging = ManualClock(), Lagging(TARGET_LAG)
    credit = spent(lagging, MEASURE_AFTER, clock)
    assert credit.limits()[LANE] == FLOOR
    lagging.now = 0
    clock.advance(1)
    assert credit.limits()[LANE] == TURN_LIMIT
