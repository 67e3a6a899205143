"""The arithmetic of an outage."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.measures.figures import backlog_gone, caught_up, count_between, peak_per_second
from faults.measures.rebuild import Rebuilt
from faults.measures.stub import Noted, read_notes


def test_calls_are_counted_from_the_start_to_just_before_the_end():
    assert count_between([0.9, 1.0, 1.5, 2.0], 1.0, 2.0) == 2


@pytest.mark.parametrize(
    ("times", "most"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 0.5, 0.999], 3),
        ([0.0, 0.5, 1.0], 2),
        ([0.8, 0.9, 1.1, 1.2, 3.0], 4),  # across the clock's second
        ([3.0, 0.1, 0.2], 2),  # in any order
    ],
)
def test_the_peak_is_of_any_second_wherever_it_begins(times: list[float], most: int):
    assert peak_per_second(times) == most


def test_a_backlog_is_gone_when_the_last_of_it_was_taken():
    accepted = {"before": 1.0, "before too": 9.0, "after": 11.0}
    assert backlog_gone(accepted, {"before": 2.0, "before too": 14.5, "after": 20.0}, 10.0) == 4.5


def test_a_backlog_that_was_not_taken_is_not_gone():
    assert backlog_gone({"a": 1.0, "b": 2.0}, {"a": 3.0}, 10.0) is None


def test_no_backlog_is_gone_at_once():
    assert backlog_gone({"a": 1.0}, {"a": 1.1}, 10.0) == 0.0


def test_caught_up_is_when_nothing_has_waited_for_longer_than_the_grace():
    accepted = {"a": 1.0, "b": 12.0, "c": 20.0}
    taken = {"a": 15.0, "b": 18.0, "c": 20.5}
    assert caught_up(accepted, taken, recovery=10.0, grace=2.0) == 8.0


def test_what_begins_to_wait_after_the_others_were_taken_is_another_matter():
    assert caught_up({"a": 1.0, "b": 30.0}, {"a": 15.0, "b": 60.0}, recovery=10.0, grace=2.0) == 5.0


def test_nobody_has_caught_up_while_something_waits_for_ever():
    assert caught_up({"a": 1.0}, {}, recovery=10.0, grace=2.0) is None


def test_the_ratio_of_a_rebuild_is_of_rates_and_medians():
    assert Rebuilt(100, [2.0, 8.0, 4.0], [1.0, 2.0, 3.0], (0.0, 0.0, 0.0)).ratio == 0.5


def test_the_stubs_notes_are_read_as_they_were_written(tmp_path: Path):
    path = tmp_path / "notes"
    path.write_text("1.500000 503 a\n2.000000 201 b\n")
    assert read_notes(path) == [Noted(1.5, 503, "a"), Noted(2.0, 201, "b")]
