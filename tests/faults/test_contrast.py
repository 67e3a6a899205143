"""The contrast's arithmetic, and that its requirements stay what they were compiled from."""

from __future__ import annotations

from faults.contrast.settings import PROVIDER_SECONDS, RECORD_SECONDS, VISIBILITY_SECONDS
from faults.contrast.verdict import ended, judge
from faults.provider import Call


def call(delivery_id: str, result: str = "accepted", provider: str = "slack") -> Call:
    return Call(0.0, provider, delivery_id, 1, "contrast", result)


def test_what_was_accepted_is_sent_failed_or_lost():
    calls = [call("sent"), call("refused", "refuse"), call("abandoned", "503")]
    figures = judge(["sent", "refused", "abandoned", "forgotten"], {"sent": "sent", "refused": "failed"}, calls)
    assert (figures.accepted, figures.sent, figures.failed, figures.lost) == (4, 1, 1, 2)
    assert figures.never_called == 1
    assert figures.accepted == figures.sent + figures.failed + figures.lost


def test_everything_that_a_provider_took_again_is_a_duplicate():
    calls = [call("a"), call("a"), call("a", "lost"), call("b"), call("b", "503")]
    assert judge(["a", "b"], {"a": "sent", "b": "sent"}, calls).duplicates == 2


def test_a_message_that_the_results_do_not_know_is_sent_and_unrecorded():
    figures = judge(["a"], {}, [call("a")])
    assert (figures.sent, figures.lost, figures.unrecorded) == (1, 0, 1)


def test_a_message_that_was_taken_is_not_failed_whatever_the_results_say():
    figures = judge(["a"], {"a": "failed"}, [call("a", "lost")])
    assert (figures.sent, figures.failed) == (1, 0)


def test_brevos_keys_are_looked_at_by_themselves():
    calls = [call("a", provider="brevo"), call("a", "duplicate", "brevo"), call("b"), call("b")]
    figures = judge(["a", "b"], {"a": "sent", "b": "sent"}, calls)
    assert (figures.duplicates, figures.duplicates_at_brevo) == (1, 0)


def test_calls_of_another_run_are_left_out():
    figures = judge(["a"], {"a": "sent"}, [call("a"), call("another"), call("another")])
    assert (figures.provider_calls, figures.duplicates) == (1, 0)


def test_a_run_has_ended_when_all_that_was_accepted_has_a_result():
    assert ended(["a", "b"], {"a": "sent", "b": "failed", "c": "sent"})
    assert not ended(["a", "b"], {"a": "sent"})


def test_the_visibility_timeout_is_longer_than_a_call_and_its_result_may_take():
    assert VISIBILITY_SECONDS > PROVIDER_SECONDS + RECORD_SECONDS + 5
