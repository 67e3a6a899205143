"""Whoever guesses tokens is stopped for a while, by the address they come from."""

import pytest

from nofy.domain.errors import RateLimitedError
from nofy.runtime.api import strangers
from nofy.runtime.api.strangers import MOST, WINDOW, Strangers
from tests.fakes.clock import ManualClock


def guess(known: Strangers, address: str, times: int) -> None:
    for _ in range(times):
        known.refuse_guesser(address)
        known.note(address)


def test_so_many_guesses_are_free_and_the_next_one_waits_for_the_windows_end() -> None:
    clock = ManualClock()
    known = Strangers(clock)
    guess(known, "192.0.2.1", MOST)
    clock.advance(20)
    with pytest.raises(RateLimitedError) as refused:
        known.refuse_guesser("192.0.2.1")
    assert refused.value.retry_after == WINDOW.total_seconds() - 20
    guess(known, "192.0.2.2", 1)
    clock.advance(40)
    guess(known, "192.0.2.1", MOST)


def test_no_more_addresses_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "REMEMBERED", 3)
    known = Strangers(ManualClock())
    for number in range(10):
        guess(known, f"192.0.2.{number}", MOST)
    known.refuse_guesser("192.0.2.0")
    with pytest.raises(RateLimitedError):
        known.refuse_guesser("192.0.2.9")
