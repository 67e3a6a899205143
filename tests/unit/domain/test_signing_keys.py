"""Rotation of the key that signs console tokens: nobody ever holds a token whose key is not known."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nofy.domain.signing_keys import (
    JWKS_CACHED,
    LEAD,
    MARGIN,
    REFETCH_EVERY,
    REPLACED_AFTER,
    SIGNER_CACHED,
    TOKEN_LIFETIME,
    SigningKey,
    due,
    first_use,
    kept,
    signer,
)
from tests.fakes.clock import NOON

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
OLD = SigningKey("old", NOON, NOON)
NEW = SigningKey("new", NOON + 30 * DAY, NOON + 30 * DAY + LEAD)
GONE = NEW.active_from + SIGNER_CACHED + TOKEN_LIFETIME + MARGIN


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        ([], NOON, None),
        ([OLD], NOON, OLD),
        ([NEW], NEW.created, None),
        ([OLD, NEW], NEW.created, OLD),
        ([OLD, NEW], NEW.active_from - SECOND, OLD),
        ([OLD, NEW], NEW.active_from, NEW),
        ([NEW, OLD], NEW.active_from + 90 * DAY, NEW),
    ],
)
def test_the_youngest_key_that_may_sign_signs(keys: list[SigningKey], now: datetime, expected: SigningKey | None):
    assert signer(keys, now) == expected


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        ([], NOON, True),
        ([OLD], NOON, False),
        ([OLD], NOON + REPLACED_AFTER - SECOND, False),
        ([OLD], NOON + REPLACED_AFTER, True),
        ([OLD, NEW], NEW.created, False),
        ([OLD, NEW], NEW.created + REPLACED_AFTER, True),
    ],
)
def test_a_key_is_due_when_there_is_none_or_the_youngest_is_old(keys: list[SigningKey], now: datetime, expected: bool):
    assert due(keys, now) is expected


def test_the_very_first_key_signs_at_once_and_every_other_one_after_all_know_it():
    assert first_use([], NOON) == NOON
    assert first_use([OLD], NOON) == NOON + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("keys", "now", "expected"),
    [
        ([], NOON, ()),
        ([OLD], NOON + 90 * DAY, (OLD,)),
        ([NEW, OLD], NEW.created, (OLD, NEW)),
        ([OLD, NEW], NEW.active_from, (OLD, NEW)),
        ([OLD, NEW], GONE - SECOND, (OLD, NEW)),
        ([OLD, NEW], GONE, (NEW,)),
    ],
)
def test_a_key_is_kept_until_the_last_token_it_can_have_signed_has_expired(
    keys: list[SigningKey], now: datetime, expected: tuple[SigningKey, ...]
):
    assert kept(keys, now) == expected


def test_a_private_key_is_not_shown():
    assert "secret" not in repr(SigningKey("kid", NOON, NOON, "secret"))


class Stored:
    """The secret and the bucket: what lies there at any moment, by the runs of the function that looks after them."""

    def __init__(self, runs: list[datetime]) -> None:
        self._history: list[tuple[datetime, tuple[SigningKey, ...]]] = []
        keys: tuple[SigningKey, ...] = ()
        for number, now in enumerate(sorted(runs)):
            keys = kept(keys, now)
            if due(keys, now):
                keys = (*keys, SigningKey(f"key {number}", now, first_use(keys, now)))
            self._history.append((now, keys))

    def at(self, moment: datetime) -> tuple[SigningKey, ...]:
        return next(keys for since, keys in reversed(self._history) if since <= moment)


def within(most: timedelta, *edges: timedelta) -> st.SearchStrategy[timedelta]:
    """A span of time below ``most``, often one of those at which something changes."""
    some = [timedelta(0), SECOND, most / 2, most - SECOND, *edges]
    return st.one_of(st.sampled_from(some), st.timedeltas(timedelta(0), most - SECOND))


# When a key is signed with and when the function runs, after the run that made the second key: now and then, and
# often just before or after that key is published, signs, or sees its predecessor out.
TURNS = (timedelta(0), LEAD, LEAD + SIGNER_CACHED, LEAD + SIGNER_CACHED + TOKEN_LIFETIME)
AROUND = st.builds(
    lambda turn, beside: turn + beside,
    st.sampled_from(TURNS),
    st.sampled_from([-MINUTE, -SECOND, timedelta(0), SECOND, 20 * SECOND, MINUTE]),
)
MOMENTS = st.one_of(AROUND, st.timedeltas(timedelta(0), timedelta(hours=2)))


@settings(max_examples=200)
@given(
    further_runs=st.lists(MOMENTS, max_size=3),
    signed_after=MOMENTS,
    signers_copy=within(SIGNER_CACHED),
    verified_after=within(TOKEN_LIFETIME),
    verifiers_copy=within(JWKS_CACHED, REFETCH_EVERY - SECOND, REFETCH_EVERY),
)
def test_every_token_that_has_not_expired_is_verified_whatever_anybody_remembers(
    further_runs, signed_after, signers_copy, verified_after, verifiers_copy
):
    rotated = NOON + REPLACED_AFTER
    stored = Stored([NOON, rotated, *(rotated + max(each, timedelta(0)) for each in further_runs)])
    assert is_verified(stored, rotated + signed_after, signers_copy, verified_after, verifiers_copy)


def test_so_it_is_at_every_turn_with_a_function_that_runs_every_minute():
    rotated = NOON + REPLACED_AFTER
    stored = Stored([NOON, *(rotated + minute * MINUTE for minute in range(90))])
    beside = (-MINUTE, -SECOND, timedelta(0), SECOND, 20 * SECOND)
    signed = [rotated + turn + each for turn in TURNS for each in beside]
    signers_copies = (timedelta(0), SECOND, SIGNER_CACHED - SECOND)
    later = (timedelta(0), SECOND, TOKEN_LIFETIME - SECOND)
    verifiers_copies = (timedelta(0), REFETCH_EVERY - SECOND, REFETCH_EVERY, JWKS_CACHED - SECOND)
    assert all(is_verified(stored, *each) for each in product(signed, signers_copies, later, verifiers_copies))


def is_verified(
    stored: Stored, signed: datetime, signers_copy: timedelta, later: timedelta, verifiers_copy: timedelta
) -> bool:
    """Whether the token of a signer, with a copy so old, is believed so much later by a verifier with one so old."""
    key = signer(stored.at(signed - signers_copy), signed)
    assert key is not None
    verified = signed + later
    known = stored.at(verified - verifiers_copy)
    if key not in known and verifiers_copy >= REFETCH_EVERY:
        known = stored.at(verified)
    return key in known


@given(hours=st.lists(st.integers(1, 800), min_size=1, max_size=60))
def test_no_moment_is_without_a_key_that_signs_and_no_key_outlives_its_use(hours: list[int]):
    now = NOON
    keys: tuple[SigningKey, ...] = ()
    for number, each in enumerate(hours):
        keys = kept(keys, now)
        if due(keys, now):
            keys = (*keys, SigningKey(f"key {number}", now, first_use(keys, now)))
        assert signer(keys, now) is not None
        assert len(keys) <= 2
        now += each * timedelta(hours=1)
