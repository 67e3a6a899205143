"""The target of a lane: what keeps consumers busy, and no more where projects share it. Consumers are simulated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from nofy.pipeline.credit import MEASURE_EVERY
from nofy.pipeline.target import BATCHES_AHEAD, LEAST_A_PARTITION, MORE, WAIT, SharedTarget, target_lag
from tests.fakes import NOON

MOST = 2_000
TICK = MEASURE_EVERY.total_seconds()


@dataclass
class Consumer:
    """One partition's: takes whatever is there, calls its provider so many at a time, and commits when it is done."""

    calls_at_once: int
    seconds_a_call: float
    seconds_a_batch: float
    seconds_a_record: float = 0.0
    waiting: int = 0
    hand: int = 0
    left: float = 0.0

    def work(self, seconds: float) -> int:
        """How many were committed in these seconds."""
        read = 0
        while seconds > 0 and (self.hand or self.waiting):
            if not self.hand:
                self.hand, self.waiting = min(500, self.waiting), max(0, self.waiting - 500)
                self.left = self._takes(self.hand)
            spent = min(seconds, self.left)
            seconds, self.left = seconds - spent, self.left - spent
            if self.left <= 1e-9:
                read, self.hand = read + self.hand, 0
        return read

    def _takes(self, records: int) -> float:
        calls = math.ceil(records / self.calls_at_once) * self.seconds_a_call
        return self.seconds_a_batch + calls + records * self.seconds_a_record


@dataclass
class Lane:
    """Two partitions that are filled up to the target whenever it is looked at."""

    one: Consumer
    other: Consumer
    target: SharedTarget = field(default_factory=lambda: SharedTarget(2 * LEAST_A_PARTITION, MOST))
    now: float = 0.0

    def run(self, seconds: float) -> tuple[float, float]:
        """Records read a second, and the mean time of a record in Kafka, over the last half."""
        read, lags, ticks = 0, 0, round(seconds / TICK)
        for tick in range(ticks):
            lag = self._lag()
            self._fill(int(self.target.target) - lag)
            done = self.one.work(TICK) + self.other.work(TICK)
            self.now += TICK
            self.target.learn(done, self._lag(), NOON + timedelta(seconds=self.now), used_up=True)
            if tick >= ticks // 2:
                read, lags = read + done, lags + lag
        return read / (seconds / 2), lags * TICK / max(1, read)

    def _lag(self) -> int:
        return self.one.waiting + self.one.hand + self.other.waiting + self.other.hand

    def _fill(self, records: int) -> None:
        self.one.waiting += (max(0, records) + 1) // 2
        self.other.waiting += max(0, records) // 2


# Calls at once, seconds a call, a batch, a record.
CONSUMERS = {
    "a provider of 50 ms that bears 32 calls": (16, 0.05, 0.02),
    "a provider of a second": (128, 1.0, 0.05),
    "a provider that costs nothing": (500, 0.005, 0.03, 0.0007),
}


def lane(name: str) -> Lane:
    return Lane(Consumer(*CONSUMERS[name]), Consumer(*CONSUMERS[name]))


def at_most(name: str) -> float:
    """What its consumers read with batches as full as they may be."""
    full = lane(name)
    full.target = SharedTarget(MOST, MOST)
    return full.run(40)[0]


def test_a_lane_of_one_project_has_a_batch_in_hand_and_one_waiting_for_each_partition() -> None:
    assert target_lag(6, 500) == 6 * BATCHES_AHEAD * 500 == 6_000


@pytest.mark.parametrize("name", CONSUMERS)
def test_a_shared_target_costs_consumers_a_third_at_most_and_keeps_records_moving(name: str) -> None:
    found = lane(name)
    rate, wait = found.run(60)
    assert rate >= 0.65 * at_most(name)
    assert wait <= 1.6 * max(WAIT, found.target.best)  # the search goes a step or two too far before it turns
    assert found.target.least < found.target.target < MOST / 3


def test_a_provider_that_becomes_slower_is_not_asked_less_and_less() -> None:
    found = lane("a provider of 50 ms that bears 32 calls")
    found.run(20)
    for each in (found.one, found.other):
        each.seconds_a_call = 1.0
    rate, _ = found.run(120)
    assert rate >= 0.6 * 2 * 16


def test_what_is_measured_too_long_as_often_as_too_short_leaves_the_target_where_it_was() -> None:
    target = SharedTarget(32, MOST)
    target.target = 200
    for second in range(41):  # the first only begins to count
        read = 4_000 if second % 2 else 400
        target.learn(read, 200, NOON + timedelta(seconds=second), used_up=True)
    assert target.target == pytest.approx(200)


def test_where_work_is_what_is_missing_nothing_is_learnt_of_consumers() -> None:
    target = SharedTarget(32, MOST)
    for tick in range(100):
        target.learn(5, 0, NOON + timedelta(seconds=tick), used_up=False)
    assert target.target == 32


def test_what_is_read_is_counted_from_one_batchs_end_to_anothers() -> None:
    target = SharedTarget(32, MOST)
    for tick in range(30):  # a batch of all there may be each second, however often it is looked at
        most = int(target.target)
        target.learn(most if tick % 10 == 0 else 0, most, NOON + timedelta(seconds=tick / 10), used_up=True)
    assert target.best == pytest.approx(1.0)
    assert target.target == pytest.approx(32 * MORE**2)
