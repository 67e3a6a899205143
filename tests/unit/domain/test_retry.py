"""From an outcome to a decision: the one policy, as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain import retry
from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.retry import (
    KEY_OVER,
    PARK_DEFAULT,
    POLICIES,
    RETRY_AFTER_CEILING,
    Decision,
    DeliveryMode,
    Done,
    GiveUp,
    Hold,
    LeaveUnknown,
    Park,
    Policy,
    Retry,
    decide,
)
from nofy.domain.routing import Priority
from tests.unit.domain import strategies
from tests.unit.domain.examples import NOW, leased, seconds, tried

ALMOST_ONE = 0.999999
TWICE, ONCE = DeliveryMode.AT_LEAST_ONCE, DeliveryMode.AT_MOST_ONCE


# Half-way through every jitter: outcome, what was spent before, mode, seconds until it expires, decision.
@pytest.mark.parametrize(
    ("outcome", "spent", "mode", "lifetime", "decision"),
    [
        (Accepted("x"), 0, TWICE, 60, Done()),
        (Accepted(None), 99, ONCE, -60, Done()),  # what was taken was taken, however late and however often
        (Rejected(RejectionKind.CONFIG, "invalid_auth"), 0, TWICE, 60, Hold("invalid_auth")),
        (Rejected(RejectionKind.CONFIG, "invalid_auth"), 99, TWICE, -1, Hold("invalid_auth")),
        (Rejected(RejectionKind.RECIPIENT, "gone"), 0, TWICE, 60, GiveUp("rejected_recipient: gone")),
        (Rejected(RejectionKind.CONTENT, "no_text"), 0, ONCE, 60, GiveUp("rejected_content: no_text")),
        (Transient("503"), 0, TWICE, 60, Retry(NOW + seconds(1))),
        (Transient("503"), 1, TWICE, 60, Retry(NOW + seconds(2))),
        (Transient("503"), 6, ONCE, 3600, Retry(NOW + seconds(64))),
        (Transient("503"), 7, TWICE, 3600, GiveUp("exhausted: transient: 503")),  # the eighth try was the last
        (Transient("503"), 0, TWICE, 1, GiveUp("expired")),  # at the very moment of expiry it is too late
        (Transient("503"), 0, TWICE, 1.001, Retry(NOW + seconds(1))),
        (Unknown("reset"), 0, TWICE, 60, Retry(NOW + seconds(1))),
        (Unknown("reset"), 7, TWICE, 3600, GiveUp("exhausted: unknown: reset")),
        (Unknown("reset"), 0, ONCE, 60, LeaveUnknown("unknown: reset")),
        (Unknown("reset"), 99, ONCE, -60, LeaveUnknown("unknown: reset")),
        (Throttled("429", 30), 0, TWICE, 60, Park(NOW + seconds(30.5))),
        (Throttled("429", 30), 99, ONCE, 60, Park(NOW + seconds(30.5))),  # patience spends nothing
        (Throttled("429", None), 0, TWICE, 60, Park(NOW + seconds(PARK_DEFAULT + 0.5))),
        (Throttled("429", 0), 0, TWICE, 60, Park(NOW + seconds(1.5))),
        (Throttled("429", -5), 0, TWICE, 60, Park(NOW + seconds(1.5))),
        (Throttled("429", 86_400), 0, TWICE, 86_400, Park(NOW + seconds(3600.5))),
        (Throttled("429", 30), 0, TWICE, 30, GiveUp("expired")),
        (NotTried("sender's time was over"), 0, TWICE, 60, Park(NOW + seconds(PARK_DEFAULT / 2))),
        (NotTried("sender's time was over"), 99, ONCE, 60, Park(NOW + seconds(PARK_DEFAULT / 2))),
        (NotTried("sender's time was over"), 0, TWICE, 1, GiveUp("expired")),
    ],
)
def test_an_outcome_becomes_a_decision(
    outcome: Outcome, spent: int, mode: DeliveryMode, lifetime: float, decision: retry.Decision
):
    before = tried(spent=spent, delivery_mode=mode, expires_at=NOW + seconds(lifetime))
    assert decide(outcome, before, NOW, lambda: 0.5) == decision


# The longest possible wait after each failure, in seconds, until the policy gives up.
@pytest.mark.parametrize(
    ("priority", "ceilings"),
    [
        (Priority.HIGH, [1, 2, 4, 8, 16]),
        (Priority.NORMAL, [2, 4, 8, 16, 32, 64, 128]),
        (Priority.LOW, [5, 10, 20, 40, 80, 160, 320, 640, 900]),
    ],
)
def test_each_priority_has_its_own_patience(priority: Priority, ceilings: list[float]):
    waits = []
    for spent in range(100):
        decision = decide(Transient("503"), tried(spent=spent, priority=priority), NOW, lambda: ALMOST_ONE)
        if not isinstance(decision, Retry):
            break
        waits.append((decision.at - NOW).total_seconds())
    assert waits == pytest.approx(ceilings, rel=1e-3)
    assert isinstance(decision, GiveUp)


def test_every_priority_has_a_policy():
    assert set(POLICIES) == set(Priority)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_jitter_stays_between_nothing_and_the_ceiling(spent: int, random: float):
    policy = Policy(max_attempts=3, base=2, cap=300)
    assert timedelta(0) <= policy.delay(spent, random) <= seconds(min(300, 2 * 2.0 ** min(spent, 30)))


@given(strategies.outcomes, st.integers(0, 12), st.sampled_from(Priority), st.sampled_from(DeliveryMode), st.data())
def test_nothing_is_ever_tried_again_after_it_expired(outcome, spent, priority, mode, data):
    expires_at = NOW + seconds(data.draw(st.floats(-100, 5_000)))
    random = data.draw(st.floats(0, 1, exclude_max=True))
    before = tried(spent=spent, priority=priority, delivery_mode=mode, expires_at=expires_at)
    decision = decide(outcome, before, NOW, lambda: random)
    if isinstance(decision, Retry | Park):
        assert NOW <= decision.at < expires_at


@given(st.none() | st.floats(allow_nan=False), st.floats(0, 1, exclude_max=True))
def test_a_providers_patience_is_believed_within_bounds(retry_after: float | None, random: float):
    decision = decide(Throttled("429", retry_after), tried(), NOW, lambda: random)
    assert isinstance(decision, Park)
    assert 1 <= (decision.at - NOW).total_seconds() <= RETRY_AFTER_CEILING + 1


@given(strategies.outcomes, st.integers(0, 12))
def test_at_most_once_never_repeats_what_may_have_been_sent(outcome: Outcome, spent: int):
    decision = decide(outcome, tried(spent=spent, delivery_mode=ONCE), NOW, lambda: 0.5)
    assert isinstance(decision, LeaveUnknown) == isinstance(outcome, Unknown)


@given(strategies.decisions)
def test_a_decision_comes_back_from_json_as_it_was(decision: retry.Decision):
    assert retry.from_json(retry.to_json(decision)) == decision


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"decision": "postpone"},
        {"decision": "retry"},
        {"decision": "retry", "at": "tomorrow"},
        {"decision": "retry", "at": "2026-03-01T12:00:00"},  # no offset: nobody knows when that is
        {"decision": "park", "at": "2026-03-01T12:00:00"},
        {"decision": "hold"},
    ],
)
def test_what_is_no_decision_is_refused(junk: dict[str, str]):
    with pytest.raises((KeyError, ValueError)):
        retry.from_json(junk)


@pytest.mark.parametrize(
    ("outcome", "since", "decision"),
    [
        # The first answer was lost just now: the wait is bounded by the key's life, which is longer.
        (Unknown("reset"), None, Retry(NOW + seconds(128))),
        # In doubt for 24 minutes: asked again before the key is forgotten, however long the policy would wait.
        (Unknown("reset"), 24 * 60, Retry(NOW + seconds(60))),
        (Transient("503"), 24 * 60, Retry(NOW + seconds(60))),
        (Throttled("slow down", 30), 24 * 60, Park(NOW + seconds(30.5))),
        # A throttle asks for more than the key has left, or the key is forgotten: only a person may ask again.
        (Throttled("slow down", 90), 24 * 60, GiveUp(KEY_OVER)),
        (Unknown("reset"), 26 * 60, GiveUp(KEY_OVER)),
        (Accepted("x"), 26 * 60, Done()),
    ],
)
def test_where_the_provider_has_idempotency_nothing_in_doubt_outlives_its_key(
    outcome: Outcome, since: float | None, decision: Decision
):
    started = None if since is None else NOW - seconds(since)
    facts = tried(spent=6, priority=Priority.NORMAL, idempotent=True, in_doubt_since=started)
    assert decide(outcome, facts, NOW, lambda: 1.0 if isinstance(decision, Retry) else 0.5) == decision


def test_what_is_in_doubt_without_idempotency_is_the_delivery_modes_to_decide():
    facts = tried(in_doubt_since=NOW - seconds(3600))
    assert isinstance(decide(Unknown("reset"), facts, NOW, lambda: 0.5), Retry)


def test_what_a_simulated_provider_refuses_holds_nobodys_integration():
    refused = Rejected(RejectionKind.CONFIG, "simulated")
    assert decide(refused, tried(live=False), NOW, lambda: 0.0) == GiveUp("rejected_config: simulated")
    assert leased(live=False).tried.live is False
