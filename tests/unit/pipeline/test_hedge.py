"""Hedging: a quiet project's records go to two consumers, beside a busy one and nowhere else."""

from __future__ import annotations

from uuid import UUID

import pytest

from nofy.pipeline.hedge import hedge
from nofy.pipeline.unread import HELD, Unread
from nofy.ports.bus import Placement

BUSY, QUIET = UUID(int=1), UUID(int=2)
TARGET = 60


def unread(*of: UUID, partitions: int = 2) -> Unread:
    """Records of these projects, by turns in so many partitions."""
    found = Unread()
    found.measure(dict.fromkeys(range(partitions), 0), {}, 500)
    for number, each in enumerate(of):
        found.place(each, Placement(number % partitions, number // partitions))
    return found


def test_beside_one_that_holds_the_credit_a_quiet_projects_records_go_to_two_consumers() -> None:
    lane = unread(*[BUSY] * HELD)
    assert hedge([BUSY, QUIET, BUSY, QUIET], [0, 0, 1, 1], lane, TARGET) == [(0,), (0, 1), (1,), (1, 0)]


def test_where_nobody_holds_the_credit_each_goes_to_one() -> None:
    lane = unread(*[BUSY] * (HELD - 1))
    assert hedge([BUSY, QUIET], [0, 1], lane, TARGET) == [(0,), (1,)]


def test_who_brings_many_at_once_is_not_quiet() -> None:
    lane = unread(*[BUSY] * HELD)
    assert hedge([QUIET] * HELD, [0] * HELD, lane, 10 * TARGET) == [(0,)] * HELD
    assert hedge([QUIET] * (HELD - 1), [0] * (HELD - 1), lane, 10 * TARGET) == [(0, 1)] * (HELD - 1)


@pytest.mark.parametrize(
    ("unread_already", "new", "doubled"), [(0, 7, True), (0, 8, False), (13, 1, True), (14, 1, False)]
)
def test_no_more_than_a_quarter_of_the_lane_is_quiet_projects_with_their_second_records(
    unread_already: int, new: int, doubled: bool
) -> None:
    lane = unread(*[BUSY] * HELD, *[UUID(int=100 + number) for number in range(unread_already)])
    projects = [UUID(int=200 + number) for number in range(new)]
    assert hedge(projects, [0] * new, lane, TARGET) == [(0, 1) if doubled else (0,)] * new


def test_a_lane_of_one_partition_has_no_other_consumer() -> None:
    lane = unread(*[BUSY] * HELD, partitions=1)
    assert hedge([QUIET], [0], lane, TARGET) == [(0,)]
