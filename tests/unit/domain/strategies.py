"""Arbitrary values of the domain's types, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from nofy.domain import retry
from nofy.domain.delivery import Fence, Report
from nofy.domain.outcomes import (
    Accepted,
    NotTried,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)

# What UTF-8 and PostgreSQL's text can hold: no half surrogate pairs, no NUL.
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
attempt_nos = st.integers(1, 2**31 - 1)

outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Accepted, st.none() | words),
    st.builds(Throttled, words, st.none() | st.floats(0, 1e6), st.sampled_from(ThrottleScope)),
    st.builds(Transient, words),
    st.builds(Rejected, st.sampled_from(RejectionKind), words),
    st.builds(Unknown, words),
    st.builds(NotTried, words),
)

decisions: st.SearchStrategy[retry.Decision] = st.one_of(
    st.builds(retry.Done),
    st.builds(retry.Retry, moments),
    st.builds(retry.Park, moments),
    st.builds(retry.Hold, words),
    st.builds(retry.GiveUp, words),
    st.builds(retry.LeaveUnknown, words),
)

reports = st.builds(Report, st.uuids(), attempt_nos, outcomes, decisions, moments, st.none() | attempt_nos)
fences = st.builds(Fence, st.uuids(), attempt_nos, moments)

# JSON that a request may bring: numbers of any size, and text that UTF-8 holds.
storable_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(words, children, max_size=4),
    max_leaves=12,
)

# Whatever json.loads can make, Python's own additions (NaN, Infinity) and half surrogate pairs included.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=12,
)
