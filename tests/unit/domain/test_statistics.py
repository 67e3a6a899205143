"""Counters and histograms, as they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.statistics import LAST, MINUTES_KEPT, Counts, Range, added, percentile, time_bucket

TIMES = st.floats(min_value=8, max_value=7_000_000)


@given(st.lists(TIMES, min_size=1, max_size=50), st.sampled_from([0.5, 0.99]))
def test_a_percentile_is_at_most_nine_per_cent_off(times: list[float], share: float) -> None:
    histogram = added([0] * time_bucket(each) + [1] for each in times)
    true = sorted(times)[max(0, -int(-share * len(times) // 1) - 1)]
    found = percentile(histogram, share)
    assert found is not None
    assert abs(found - true) <= 0.095 * true + 0.5


def test_where_nothing_was_sent_there_is_no_percentile() -> None:
    assert (percentile([], 0.5), percentile([0, 0], 0.99)) == (None, None)


@pytest.mark.parametrize(("milliseconds", "place"), [(-4, 0), (0, 0), (7.9, 0), (8, 1), (16, 5), (1e12, LAST)])
def test_every_time_has_a_bucket(milliseconds: float, place: int) -> None:
    assert time_bucket(milliseconds) == place


def test_histograms_of_different_lengths_add_up() -> None:
    assert added([[1, 2], [], [0, 1, 5]]) == [1, 3, 5]


def test_a_failure_that_was_corrected_is_no_failure() -> None:
    assert Counts(sent=3, failed=2, corrected=1).success_rate == 0.75
    assert Counts(sent=1, failed=0, corrected=1).success_rate == 1.0
    assert Counts(accepted=5).success_rate is None


def test_what_has_begun_and_not_ended_is_live() -> None:
    counts = Counts(accepted=9, redriven=1, sent=3, failed=2, cancelled=1, expired=1, corrected=1, retried=40)
    assert (counts.live, (counts + counts).live) == (4, 8)


@pytest.mark.parametrize("span", Range)
def test_a_range_is_made_of_what_is_kept(span: Range) -> None:
    whole = span.step_seconds * span.buckets
    kept_by_minutes = whole + span.step_seconds <= MINUTES_KEPT.total_seconds()
    assert span.step_seconds % (60 if kept_by_minutes else 3_600) == 0
    assert whole == {"m": 60, "h": 3_600, "d": 86_400}[span[-1]] * int(span[:-1])
