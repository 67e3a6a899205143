"""What a report does to a delivery: once, in order, and never backwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nofy.domain.delivery import Report, State, fold, settle
from nofy.domain.lifecycle import ENDED, LEASABLE, TRANSITIONS, Event, Status, advance, allowed
from nofy.domain.outcomes import Accepted, NotTried, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.retry import Decision, DeliveryMode, Done, GiveUp, Hold, LeaveUnknown, Park, Retry, decide
from tests.unit.domain import strategies
from tests.unit.domain.examples import DELIVERY, NOW, report, seconds, state, tried

LATER = NOW + seconds(30)
REFUSED = Rejected(RejectionKind.CONFIG, "invalid_auth")


# A delivery that is being sent for the third time, with one attempt spent, and the report on that attempt.
@pytest.mark.parametrize(
    ("told", "after"),
    [
        (report(), state(Status.SENT, provider_message_id="pm-3")),
        (report(outcome=Accepted(None)), state(Status.SENT)),
        (
            report(outcome=Transient("503"), decision=Retry(LATER)),
            state(Status.RETRYING, attempt_no=4, spent=2, due_at=LATER, reason="503"),
        ),
        (
            report(outcome=Throttled("429", 3), decision=Park(LATER)),
            state(Status.RETRYING, attempt_no=4, spent=1, due_at=LATER, reason="429"),
        ),
        (
            report(outcome=NotTried("late"), decision=Park(LATER)),
            state(Status.RETRYING, attempt_no=4, spent=1, due_at=LATER, reason="late"),
        ),
        (
            report(outcome=REFUSED, decision=Hold("invalid_auth")),
            state(Status.HELD, attempt_no=4, spent=1, reason="invalid_auth"),
        ),
        (
            report(outcome=Transient("503"), decision=GiveUp("exhausted: 503")),
            state(Status.FAILED, reason="exhausted: 503"),
        ),
        (report(outcome=Unknown("reset"), decision=LeaveUnknown("reset")), state(Status.UNKNOWN, reason="reset")),
    ],
)
def test_a_report_on_the_current_attempt_is_applied(told: Report, after: State):
    assert settle(state(), told) == after


LATE_TRUTH = {status for status, event in TRANSITIONS if event is Event.LATE_ACCEPTED}


@pytest.mark.parametrize("status", sorted(LATE_TRUTH))
def test_an_earlier_attempts_acceptance_is_believed_whenever_it_comes(status: Status):
    late = report(attempt_no=2, outcome=Accepted("pm-2"))
    assert settle(state(status, reason="503"), late) == state(Status.SENT, provider_message_id="pm-2")


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.SENT, Status.DELIVERED])
def test_where_the_status_cannot_follow_the_providers_id_is_kept_all_the_same(status: Status):
    late = report(attempt_no=2, outcome=Accepted("pm-2"))
    assert settle(state(status, reason="why"), late) == state(status, reason="why", provider_message_id="pm-2")


def test_the_first_known_id_of_the_provider_stays():
    sent = state(Status.SENT, provider_message_id="pm-1")
    assert settle(sent, report(attempt_no=2, outcome=Accepted("pm-2"))) == sent
    assert settle(sent, report(attempt_no=2, outcome=Accepted(None))) == sent


NOTHING_NEW = [
    report(attempt_no=2, outcome=Transient("503"), decision=Retry(LATER)),
    report(attempt_no=2, outcome=Unknown("reset"), decision=GiveUp("exhausted")),
    report(attempt_no=2, outcome=REFUSED, decision=Hold("invalid_auth")),
    report(attempt_no=4, outcome=Transient("503"), decision=Retry(LATER)),
    report(attempt_no=4),  # an acceptance from the future belongs to no attempt that was begun
]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("told", NOTHING_NEW)
def test_a_report_on_another_attempt_that_is_no_acceptance_changes_nothing(status: Status, told: Report):
    assert settle(state(status), told) == state(status)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.SENDING}))
def test_a_failure_of_the_current_attempt_changes_nothing_once_it_is_over(status: Status):
    failed = report(outcome=Transient("503"), decision=Retry(LATER))
    assert settle(state(status), failed) == state(status)


@given(strategies.outcomes, st.integers(1, 4), st.sampled_from(Status), st.sampled_from(DeliveryMode))
def test_the_same_report_twice_is_the_same_report_once(outcome, attempt_no: int, status: Status, mode: DeliveryMode):
    decision = decide(outcome, tried(delivery_mode=mode), NOW, lambda: 0.5)
    told = report(attempt_no=attempt_no, outcome=outcome, decision=decision)
    assert fold(state(status), [told, told]).after == fold(state(status), [told]).after


def test_reports_are_folded_in_the_order_in_which_they_were_produced():
    doubt = report(outcome=Unknown("its consumer ended"), decision=Retry(LATER))
    accepted = report()
    assert fold(state(), [accepted, doubt]).after == state(Status.SENT, provider_message_id="pm-3")
    # The other way round the truth comes late, and comes all the same.
    assert fold(state(), [doubt, accepted]).after == state(
        Status.SENT, attempt_no=4, spent=2, due_at=LATER, provider_message_id="pm-3"
    )


def test_a_fold_of_nothing_changes_nothing():
    assert fold(state(), []).after == state()


def test_a_change_that_holds_names_the_credential_that_was_refused():
    held = fold(state(), [report(outcome=REFUSED, decision=Hold("invalid_auth"), credential_version=7)])
    assert held.held_credential == 7


def test_a_change_that_does_not_hold_names_none():
    assert fold(state(), [report(credential_version=7)]).held_credential is None
    already = fold(state(Status.HELD), [report(attempt_no=2, outcome=Transient("x"), decision=Retry(LATER))])
    assert already.held_credential is None


OUTCOMES = [Accepted("pm"), Accepted(None), Transient("503"), Unknown("reset"), Throttled("429", 2.0), NotTried("late")]
OUTCOMES += [REFUSED, Rejected(RejectionKind.RECIPIENT, "gone")]


class Histories(RuleBasedStateMachine):
    """A delivery lives through leases, reports, duplicates and crashes, in any order that the table allows."""

    def __init__(self) -> None:
        super().__init__()
        self.state = state(Status.SCHEDULED, attempt_no=1, spent=0)
        self.before = self.state
        self.told: list[Report] = []
        self.accepted: set[int] = set()
        self.redrives = 0

    @rule(event=st.sampled_from([Event.DISPATCHED, Event.REQUEUED, Event.RELEASED, Event.CANCELLED, Event.EXPIRED]))
    def something_else_happens(self, event: Event) -> None:
        if allowed(self.state.status, event):
            self._become(replace(self.state, status=advance(self.state.status, event)))

    @precondition(lambda self: self.state.status in LEASABLE)
    @rule()
    def an_attempt_is_leased(self) -> None:
        self._become(replace(self.state, status=advance(self.state.status, Event.LEASED)))

    @precondition(lambda self: self.state.status is Status.SENDING)
    @rule(outcome=st.sampled_from(OUTCOMES), mode=st.sampled_from(DeliveryMode))
    def the_attempt_is_reported_on(self, outcome, mode) -> None:
        decision = decide(outcome, tried(spent=self.state.spent, delivery_mode=mode), NOW, lambda: 0.5)
        self._tell(Report(DELIVERY, self.state.attempt_no, outcome, decision, NOW, 1))

    @precondition(lambda self: self.state.attempt_no > 1)
    @rule(data=st.data())
    def an_earlier_attempt_turns_out_to_have_been_accepted(self, data) -> None:
        attempt_no = data.draw(st.integers(1, self.state.attempt_no - 1))
        self._tell(report(attempt_no=attempt_no, outcome=Accepted(f"pm-{attempt_no}")))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def kafka_hands_a_report_over_again(self, data) -> None:
        again = data.draw(st.sampled_from(self.told))
        before = self.state
        self._tell(again)
        assert self.state == before, "a report that was applied before changes nothing"

    @precondition(lambda self: allowed(self.state.status, Event.REDRIVEN))
    @rule()
    def a_person_redrives_it(self) -> None:
        self.redrives += 1
        again = advance(self.state.status, Event.REDRIVEN)
        self.before = self.state = replace(self.state, status=again, attempt_no=self.state.attempt_no + 1, spent=0)

    @invariant()
    def it_never_moved_backwards(self) -> None:
        assert self.state.attempt_no >= self.before.attempt_no
        assert self.state.spent >= self.before.spent
        if self.before.status in ENDED:
            assert self.state.status in (self.before.status, Status.SENT)
        if self.before.status is Status.SENT:
            assert self.state.status is Status.SENT

    @invariant()
    def what_the_provider_called_it_is_never_forgotten(self) -> None:
        if self.before.provider_message_id:
            assert self.state.provider_message_id == self.before.provider_message_id

    @invariant()
    def an_acceptance_is_never_retried(self) -> None:
        if self.accepted:
            assert self.state.status in {Status.SENT, Status.CANCELLED, Status.EXPIRED}

    @invariant()
    def spent_is_at_most_the_attempts_begun(self) -> None:
        assert self.state.spent <= self.state.attempt_no

    def _tell(self, told: Report) -> None:
        self.told.append(told)
        after = settle(self.state, told)
        if isinstance(told.outcome, Accepted):
            self.accepted.add(told.attempt_no)
        self._become(after)

    def _become(self, after: State) -> None:
        self.before, self.state = self.state, after


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=80, stateful_step_count=25, deadline=None, database=None)


def test_every_decision_is_known_to_the_table():
    decisions: list[Decision] = [Done(), Retry(LATER), Park(LATER), Hold("x"), GiveUp("x"), LeaveUnknown("x")]
    ends = {settle(state(), report(outcome=Unknown("x"), decision=each)).status for each in decisions}
    assert ends == {Status.SENT, Status.RETRYING, Status.HELD, Status.FAILED, Status.UNKNOWN}
