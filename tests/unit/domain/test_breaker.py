"""The circuit breaker: its table, and what holds in any history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.breaker import FAILURES, LONG_AGO, OPEN_FIRST, OPEN_MOST, PATIENCE, PROBES, Breaker
from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown
from tests.fakes import NOON
from tests.unit.domain import strategies

CLOSED = Breaker()
TIRED = Breaker(failures=FAILURES - 1)
LATER = NOON + timedelta(seconds=OPEN_FIRST)
OPEN = Breaker(opened=1, until=LATER)
PROBING = Breaker(opened=1, until=NOON + timedelta(seconds=PATIENCE), probes=1)
ALL_OUT = Breaker(opened=1, until=NOON + timedelta(seconds=PATIENCE), probes=PROBES)


def opened(times: int, seconds: float) -> Breaker:
    return Breaker(opened=times, until=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("before", "outcome", "after"),
    [
        (CLOSED, Transient("503"), Breaker(failures=1)),
        (CLOSED, Unknown("silence"), Breaker(failures=1)),
        (TIRED, Transient("503"), opened(1, OPEN_FIRST)),
        (TIRED, Unknown("silence"), opened(1, OPEN_FIRST)),
        (TIRED, NotTried("no time"), TIRED),
        (OPEN, Transient("a call that was under way"), OPEN),
        (OPEN, NotTried("no time"), OPEN),
        (PROBING, Transient("503"), opened(2, 2 * OPEN_FIRST)),
        (ALL_OUT, Unknown("silence"), opened(2, 2 * OPEN_FIRST)),
        (Breaker(opened=9, until=NOON, probes=1), Transient("503"), opened(10, OPEN_MOST)),
        *(
            (before, answer, CLOSED)
            for before in (CLOSED, TIRED, OPEN, PROBING, ALL_OUT)
            for answer in (Accepted(), Rejected(RejectionKind.CONFIG, "revoked"), Throttled("429", 1))
        ),
    ],
)
def test_what_an_outcome_does_to_it(before: Breaker, outcome: Outcome, after: Breaker):
    assert before.learn(outcome, NOON) == after


@pytest.mark.parametrize(
    ("breaker", "seconds", "bars", "after"),
    [
        (CLOSED, 0, False, CLOSED),
        (TIRED, 0, False, TIRED),
        (OPEN, 0, True, None),
        (OPEN, OPEN_FIRST - 0.000001, True, None),
        (OPEN, OPEN_FIRST, False, Breaker(opened=1, until=LATER + timedelta(seconds=PATIENCE), probes=1)),
        (PROBING, 1, False, Breaker(opened=1, until=PROBING.until, probes=2)),
        (ALL_OUT, 1, True, None),
        (ALL_OUT, PATIENCE, False, Breaker(opened=1, until=NOON + timedelta(seconds=2 * PATIENCE), probes=1)),
    ],
)
def test_whom_it_bars(breaker: Breaker, seconds: float, bars: bool, after: Breaker | None):
    now = NOON + timedelta(seconds=seconds)
    assert breaker.bars_until(now) == (breaker.until if bars else None)
    if after:
        assert breaker.let_through(now) == after


steps = st.lists(st.tuples(st.floats(0, 40), st.none() | strategies.outcomes), max_size=80)


@given(steps)
def test_in_any_history_it_opens_by_failures_alone_bars_for_a_bounded_time_and_lets_few_probes_through(history):
    """A step is some time, and then an outcome that was learnt, or (None) somebody who asks."""
    breaker, now, in_a_row, through = CLOSED, NOON, 0, 0
    for seconds, outcome in history:
        now += timedelta(seconds=seconds)
        if outcome is not None:
            breaker = breaker.learn(outcome, now)
            in_a_row += isinstance(outcome, Transient | Unknown)
            in_a_row *= isinstance(outcome, Transient | Unknown | NotTried)
            through = 0
        elif (until := breaker.bars_until(now)) is None:
            through = 1 if breaker.opened and now >= breaker.until else through + 1
            breaker = breaker.let_through(now)
            assert not breaker.opened or through <= PROBES
        else:
            assert breaker.opened
            assert now < until <= now + timedelta(seconds=max(OPEN_MOST, PATIENCE))
        assert breaker.failures < FAILURES
        assert not breaker.opened or in_a_row >= FAILURES


def test_long_ago_is_before_anything():
    assert LONG_AGO < NOON
