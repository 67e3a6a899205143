"""What a sender learnt, as it travels."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain import outcomes
from nofy.domain.outcomes import (
    Accepted,
    Exchange,
    NotTried,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)
from tests.unit.domain import strategies


@given(strategies.outcomes)
def test_an_outcome_comes_back_from_json_as_it_was(outcome: Outcome):
    assert outcomes.from_json(json.loads(json.dumps(outcomes.to_json(outcome)))) == outcome


@given(strategies.outcomes)
def test_an_outcomes_name_is_its_word_on_the_wire(outcome: Outcome):
    assert outcomes.to_json(outcome)["outcome"] == outcomes.name(outcome)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Accepted("pm-1"), None),
        (Throttled("429", 3), "429"),
        (Transient("503"), "503"),
        (Rejected(RejectionKind.CONTENT, "no_text"), "no_text"),
        (Unknown("reset"), "reset"),
        (NotTried("late"), "late"),
    ],
)
def test_everything_but_an_acceptance_has_a_reason(outcome: Outcome, reason: str | None):
    assert outcomes.reason(outcome) == reason


@pytest.mark.parametrize("scope", ThrottleScope)
def test_a_throttle_tells_what_it_speaks_of(scope: ThrottleScope):
    assert outcomes.to_json(Throttled("429", 3, scope))["scope"] == str(scope)


def test_a_throttle_written_before_there_were_scopes_speaks_of_the_integration():
    written = {"outcome": "throttled", "reason": "429", "retry_after": 3}
    assert outcomes.from_json(written) == Throttled("429", 3, ThrottleScope.INTEGRATION)


@given(st.text(max_size=20))
def test_a_providers_words_always_fit_into_utf_8_and_into_postgresql(words: str):
    told = outcomes.to_json(Transient(f"\0{words}\ud800"))["reason"]
    assert "\0" not in told
    assert told.encode()
    assert "\0" not in outcomes.to_json(Accepted(f"\0{words}\udfff"))["provider_message_id"]


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"outcome": "maybe"},
        {"outcome": "rejected", "kind": "mood", "reason": ""},
        {"outcome": "throttled", "reason": "", "scope": "all"},
    ],
)
def test_what_is_no_outcome_is_refused(junk: dict[str, str]):
    with pytest.raises((KeyError, ValueError)):
        outcomes.from_json(junk)


EXCHANGE = Exchange("POST", "/smtp/email", 87, 429, "too_many_requests")


@pytest.mark.parametrize("exchange", [EXCHANGE, Exchange("POST", "/chat.postMessage", 5000)])
def test_what_was_asked_and_answered_travels_with_the_outcome(exchange: Exchange):
    told = json.loads(json.dumps(outcomes.to_json(Throttled("429", exchange=exchange))))
    assert outcomes.from_json(told).exchange == exchange


def test_an_outcome_from_before_exchanges_were_kept_is_read_as_it_was():
    assert outcomes.from_json({"outcome": "transient", "reason": "HTTP 503"}) == Transient("HTTP 503")
    assert "exchange" not in outcomes.to_json(Transient("HTTP 503"))


@pytest.mark.parametrize("broken", ["POST /x", {}, {"method": "POST"}, {"method": 1, "path": "/", "duration_ms": 1}, 7])
def test_an_outcome_is_not_lost_for_an_exchange_that_nobody_can_read(broken: object):
    assert outcomes.from_json({"outcome": "unknown", "reason": "x", "exchange": broken}).exchange is None


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("channel_not_found", "channel_not_found"),
        (131056, "131056"),
        *((each, None) for each in ("", None, {}, "the message was: hello", "x" * 65, "a\nb")),
    ],
)
def test_a_providers_code_is_a_short_word_or_it_is_not_kept(code: object, kept: str | None):
    assert outcomes.word(code) == kept
