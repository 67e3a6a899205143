"""The delivery protocol as a state machine: histories that Hypothesis makes up, and what each guard is there for.

In ``make test`` the examples are the same ones each time (``derandomize``): a red run is about the change, not about
luck. ``PROTOCOL_EXAMPLES=5000`` looks further, at others each time. No database: what was found becomes a history
below, where everybody has it, and a failure prints its steps.

The guards' ablations are told as histories of a few steps: each holds with its guard and breaks without it, so the
promises and the scheduler are known to look. The search finds some of them too (a cancelled record that is leased all
the same, after some 130 examples) and most of them not within 40: a guard against two rare things at once has its tale.
Two ablations break no promise counted here and are not listed: a duplicate under Brevo's key that is not believed (the
delivery fails, and its dead letter says why), and one key for every redrive (Brevo refuses the second).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from nofy.domain import breaker
from nofy.domain.lifecycle import Status
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC, Channel, MessageClass
from nofy.pipeline import deliver
from tests.fakes.inline import Inline
from tests.unit.pipeline.protocol.ablations import ABLATIONS
from tests.unit.pipeline.protocol.machine import TO_THE_END, Plan, Protocol
from tests.unit.pipeline.protocol.provider import TAKES_IN_SILENCE

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "0"))
PROFILE = settings(
    max_examples=EXAMPLES or 60,
    stateful_step_count=50,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def repeatable_and_quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(deliver, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(breaker, "FAILURES", 2)
    before = threading.active_count()
    logging.disable()  # each fault is logged with its traceback, and pytest would keep them all
    yield
    logging.disable(logging.NOTSET)
    assert threading.active_count() <= before, "an actor was left behind"


def test_no_history_breaks_a_promise():
    run_state_machine_as_test(Protocol, settings=PROFILE)


Tale = Callable[[Protocol], object]
TALES: dict[str, Tale] = {}


def breaks_without(*guards: str) -> Callable[[Tale], Tale]:
    """A history that holds, and does not when one of these guards is taken away."""

    def register(tale: Tale) -> Tale:
        TALES.update(dict.fromkeys(guards, tale))
        return tale

    return register


def begun(history: Protocol, *plans: Plan) -> None:
    history.begins(trouble=2, limited=False, plans=list(plans))


def told(tale: Tale) -> None:
    history = Protocol()
    try:
        tale(history)
        history.no_promise_is_broken()
    finally:
        history.teardown()


def until(history: Protocol, call: str) -> None:
    """The latest actor, up to where it stands before this call."""
    for _ in range(TO_THE_END):
        if history.actors[-1].at == call:
            return
        history._go(history.actors[-1], 1)
    raise AssertionError(f"never came to {call}")


def sent(history: Protocol) -> None:
    """Dispatched and sent, and nobody has read the ack yet."""
    history.dispatch(0, TO_THE_END)
    history.consume(0, TO_THE_END)


def failed(history: Protocol) -> None:
    history.providers.script.append("refuses the recipient")
    sent(history)
    history.acknowledge(0, TO_THE_END)
    history.bury(0, TO_THE_END)


@breaks_without("a_lease_asks_for_no_fence")
def moved_while_its_record_lies_in_kafka(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, 0)
    until(history, "mark_queued")
    history._kill(history.actors[-1])
    history.move(2, TO_THE_END)
    history.consume(0, TO_THE_END)


@breaks_without("a_lease_asks_for_no_status")
def cancelled_while_its_record_lies_in_kafka(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, TO_THE_END)
    history.cancel(0, TO_THE_END)
    history.consume(0, TO_THE_END)


@breaks_without("a_lease_is_shorter_than_its_consumer_lives")
def a_sender_that_is_slow(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, TO_THE_END)
    history.consume(0, 0)
    until(history, "call")
    history.time_passes(30)


@breaks_without("queued_is_marked_whatever_the_row_says")
def cancelled_between_produce_and_mark(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, 0)
    until(history, "mark_queued")
    history.cancel(0, TO_THE_END)


def second_attempt_under_way(history: Protocol) -> None:
    history.time_passes(5)
    history.dispatch(0, TO_THE_END)
    history.consume(0, 0)
    until(history, "call")


@breaks_without("an_ack_is_applied_without_a_compare")
def two_read_the_same_ack_and_one_is_slow(history: Protocol) -> None:
    begun(history, Plan())
    history.providers.script.append("is busy")
    sent(history)
    history.acknowledge(0, 0)
    slow = history.actors[-1]
    until(history, "apply")
    history.acknowledge(0, TO_THE_END)
    second_attempt_under_way(history)
    history._go(slow, TO_THE_END)


@breaks_without("a_report_of_any_attempt_applies")
def an_ack_comes_again_during_the_next_attempt(history: Protocol) -> None:
    begun(history, Plan())
    history.providers.script.append("is busy")
    sent(history)
    history.acknowledge(0, TO_THE_END)
    second_attempt_under_way(history)
    history._rewind()
    history.acknowledge(0, TO_THE_END)


@breaks_without("a_late_acceptance_is_not_believed")
def an_acceptance_that_was_given_up_arrives(history: Protocol) -> None:
    begun(history, Plan(mode=DeliveryMode.AT_MOST_ONCE))
    history.dispatch(0, TO_THE_END)
    history.consume(0, 0)
    until(history, "publish")
    history._refuse("", late=True)
    history.down.add("postgres")
    history._go(history.actors[-1], TO_THE_END)
    history.time_passes(310)
    history.sweep(0, TO_THE_END)
    history.acknowledge(0, TO_THE_END)
    assert [row.status for row in history.world.store.tables.deliveries.values()] == [Status.UNKNOWN]


@breaks_without("what_is_overdue_is_not_indexed_again")
def its_producer_died_and_the_reconciler_was_away(history: Protocol) -> None:
    begun(history)
    history.sweep(0, TO_THE_END)
    history.accept(Plan(), None, 1)
    history._kill(history.actors[-1])
    history.time_passes(310)


@breaks_without("lost_records_are_not_missed")
def a_batch_is_lost(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, TO_THE_END)
    history._lose_batches()


@breaks_without("expired_leases_are_not_reported")
def a_consumer_dies_before_it_sends(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, TO_THE_END)
    history.consume(0, 0)
    until(history, "send")
    history._kill(history.actors[-1])


@breaks_without("held_deliveries_are_not_released")
def a_credential_is_revoked_and_mended(history: Protocol) -> None:
    begun(history, Plan())
    history._revoke()
    sent(history)
    history.acknowledge(0, TO_THE_END)


@breaks_without("a_refusal_holds_whatever_credential_there_is")
def a_refusal_is_told_after_the_credential_was_mended(history: Protocol) -> None:
    begun(history, Plan(), Plan(message_class=MessageClass.BULK))
    history._revoke()
    sent(history)
    history.consume(0, 0)
    until(history, "call")
    history._go(history.actors[-1], TO_THE_END)
    until(history, "publish")
    history.acknowledge(0, TO_THE_END)
    history._mend()
    history._go(history.actors[-1], TO_THE_END)
    history.acknowledge(0, TO_THE_END)


@breaks_without("missing_dead_letters_are_not_written")
def a_dead_letter_is_refused(history: Protocol) -> None:
    begun(history, Plan())
    history.providers.script.append("refuses the recipient")
    history._refuse(DLQ_TOPIC)
    sent(history)


@breaks_without("reports_that_kafka_refused_are_dropped", "the_reconciler_does_not_look_at_the_attempt_row")
def acks_are_refused(history: Protocol) -> None:
    begun(history, Plan())
    history._refuse(ACKS_TOPIC)
    sent(history)


@breaks_without("the_key_differs_between_attempts")
def brevo_takes_it_and_says_nothing(history: Protocol) -> None:
    begun(history, Plan(Channel.EMAIL))
    history.providers.script.append(TAKES_IN_SILENCE)
    sent(history)


@breaks_without("a_key_is_trusted_for_longer_than_it_lives")
def brevo_is_asked_again_after_half_an_hour(history: Protocol) -> None:
    begun(history, Plan(Channel.EMAIL))
    history.providers.script.append(TAKES_IN_SILENCE)
    sent(history)
    history.acknowledge(0, TO_THE_END)
    history.time_passes(1_900)


@breaks_without("a_redrive_keeps_the_attempt")
def a_dead_letter_is_sent_again(history: Protocol) -> None:
    begun(history, Plan())
    failed(history)
    history.edit(0, TO_THE_END)


@breaks_without("a_letter_may_be_redriven_twice")
def a_dead_letter_is_sent_again_and_fails_again(history: Protocol) -> None:
    begun(history, Plan())
    failed(history)
    history.redrive(0, TO_THE_END)
    failed(history)
    history.redrive(0, TO_THE_END)


@breaks_without("what_is_not_due_is_dispatched")
def moved_between_claim_and_look(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, 0)
    until(history, "waiting")
    history.move(1, TO_THE_END)
    history._go(history.actors[-1], TO_THE_END)
    if history.world.queued():
        history.consume(0, TO_THE_END)


@breaks_without("what_expired_in_kafka_is_sent")
def it_expires_in_kafka(history: Protocol) -> None:
    """Found by the machine: what consumers read too late was sent to somebody who did not want it any more."""
    begun(history, Plan(lives=40))
    history.dispatch(0, TO_THE_END)
    history.time_passes(65)
    history.consume(0, TO_THE_END)


@breaks_without("what_is_being_sent_can_be_cancelled")
def cancelled_while_it_is_being_sent(history: Protocol) -> None:
    begun(history, Plan())
    history.dispatch(0, TO_THE_END)
    history.consume(0, 0)
    until(history, "call")
    history.cancel(0, TO_THE_END)


@breaks_without("an_idempotency_key_is_forgotten")
def a_request_comes_twice(history: Protocol) -> None:
    begun(history)
    history.accept(Plan(), "a key", TO_THE_END)
    history.accept(Plan(), "a key", TO_THE_END)


@breaks_without("unknown_is_tried_again_under_at_most_once")
def nobody_knows_whether_it_was_taken(history: Protocol) -> None:
    begun(history, Plan(mode=DeliveryMode.AT_MOST_ONCE))
    history.providers.script.append(TAKES_IN_SILENCE)
    sent(history)


@pytest.mark.parametrize("tale", dict.fromkeys(TALES.values()), ids=lambda tale: tale.__name__)
def test_a_history_that_was_found_holds(tale: Tale):
    told(tale)


@pytest.mark.parametrize("guard", ABLATIONS)
def test_and_breaks_without_its_guard(guard: str, monkeypatch: pytest.MonkeyPatch):
    ABLATIONS[guard](monkeypatch)
    with pytest.raises(AssertionError):
        told(TALES[guard])
