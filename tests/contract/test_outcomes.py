"""Applying changes: a compare-and-set that loses to whoever was quicker, and never forgets an acceptance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.delivery import Fence, Report, fold
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Exchange, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.records import QueueRecord
from nofy.domain.retry import Done, GiveUp, Hold, LeaveUnknown, Park, Retry
from nofy.domain.routing import Channel
from tests.contract.stores import Backend, PostgresBackend
from tests.contract.stories import LEASE_SECONDS, Told, accepted
from tests.fakes import NOON

EXCHANGE = Exchange("POST", "/smtp/email", 120, 201)
# Indexes of the attempts whose columns or conditions a report changes.
INDEXED_CHANGES = """
SELECT indexdef FROM pg_indexes WHERE tablename = 'attempts' AND indexdef ~ '(report|acknowledged_at)'
"""


def sending(store: Backend, **plan) -> Told:
    return accepted(store, **plan).queue().lease()


def reported(told: Told, number: int = 1) -> str | None:
    report = told.attempt(number).report
    return report and report["outcome"]


def test_states_of_what_exists(store: Backend) -> None:
    told = sending(store)
    unknown = told.project.new_id()
    assert store.outcomes.states([told.id, unknown]).keys() == {told.id}
    state = told.state
    assert (state.status, state.attempt_no, state.spent, state.due_at) == (Status.SENDING, 1, 0, told.fence.due_at)
    assert (state.lane, state.integration_id) == (told.planned.deliveries[0].lane, told.project.integration())


def test_an_acceptance_is_sent_with_the_providers_id(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Accepted("message-1")))
    assert (told.status, told.view.provider_message_id, told.view.reason) == (Status.SENT, "message-1", None)
    assert reported(told) == "accepted"
    assert told.attempt().acknowledged_at is not None


def test_a_retry_spends_and_takes_a_new_fence(store: Backend) -> None:
    told = sending(store)
    at = told.fence.due_at + timedelta(seconds=7, microseconds=13)
    assert told.settle(told.report(Transient("HTTP 503"), Retry(at)))
    view = told.view
    assert (view.status, view.attempt_no, view.spent, view.due_at) == (Status.RETRYING, 2, 1, at)
    assert view.reason == "HTTP 503"


def test_a_throttle_takes_a_new_fence_and_spends_nothing(store: Backend) -> None:
    told = sending(store)
    at = told.fence.due_at + timedelta(seconds=7)
    assert told.settle(told.report(Throttled("429", 7), Park(at)))
    view = told.view
    assert (view.status, view.attempt_no, view.spent, view.due_at) == (Status.RETRYING, 2, 0, at)


@pytest.mark.parametrize(
    ("outcome", "decision", "status"),
    [
        (Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("rejected_recipient: gone"), Status.FAILED),
        (Unknown("no answer"), LeaveUnknown("no answer"), Status.UNKNOWN),
    ],
)
def test_what_ended_tells_why(store: Backend, outcome, decision, status) -> None:
    told = sending(store)
    assert told.settle(told.report(outcome, decision))
    assert (told.status, told.view.reason) == (status, decision.reason)


def test_applying_twice_changes_nothing(store: Backend) -> None:
    told = sending(store)
    report = told.report(Transient("503"), Retry(told.fence.due_at))
    assert told.settle(report)
    first = told.state
    assert told.settle(report)
    assert told.state == first


def test_a_change_loses_to_whoever_changed_the_row_in_between(store: Backend) -> None:
    told, bystander = sending(store), sending(store)
    stale = fold(told.state, [told.report(Transient("503"), Retry(told.fence.due_at))])
    assert told.settle(told.report(Accepted("message-1")))
    fresh = fold(bystander.state, [bystander.report()])
    assert store.outcomes.apply([stale, fresh]) == {bystander.id}
    assert (told.status, bystander.status) == (Status.SENT, Status.SENT)
    assert reported(told) == "accepted"


@pytest.mark.parametrize("field", ["status", "attempt_no", "due_at"])
def test_each_part_of_the_compare_counts(store: Backend, field: str) -> None:
    told = sending(store)
    change = fold(told.state, [told.report()])
    other = {"status": Status.QUEUED, "attempt_no": 2, "due_at": told.fence.due_at + timedelta(microseconds=1)}
    change = replace(change, before=replace(change.before, **{field: other[field]}))
    assert store.outcomes.apply([change]) == set()
    assert told.status is Status.SENDING


def test_an_acceptance_that_comes_late_is_the_truth(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Unknown("no answer"), Retry(told.fence.due_at)))
    assert told.settle(told.report(Accepted("message-1")))
    assert (told.status, told.view.provider_message_id, told.view.attempt_no) == (Status.SENT, "message-1", 2)
    assert reported(told) == "accepted"


def test_a_cancelled_delivery_stays_cancelled_and_keeps_the_providers_id(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Unknown("no answer"), Retry(told.fence.due_at)))
    store.amendments.cancel(told.project.principal, told.planned.notification_id)
    assert told.settle(told.report(Accepted("message-1")))
    assert (told.status, told.view.provider_message_id) == (Status.CANCELLED, "message-1")


def test_a_report_is_written_once(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Transient("first"), Retry(told.fence.due_at)))
    assert told.settle(told.report(Unknown("second"), Retry(told.fence.due_at)))
    assert told.settle(told.report(Accepted("third")))
    assert reported(told) == "transient"  # only what was unknown is corrected by an acceptance


def test_an_unknown_is_corrected_by_an_acceptance(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Unknown("first"), Retry(told.fence.due_at)))
    assert told.settle(told.report(Accepted("message-1")))
    assert reported(told) == "accepted"


@pytest.mark.parametrize("turned", [False, True])
def test_an_acceptance_and_an_unknown_in_one_batch_leave_the_acceptance_on_the_attempt(
    store: Backend, turned: bool
) -> None:
    told = sending(store)
    reports = [told.report(Accepted("message-1")), told.report(Unknown("silence"), Retry(told.fence.due_at))]
    assert told.settle(*(reversed(reports) if turned else reports))
    assert (told.status, reported(told)) == (Status.SENT, "accepted")


def test_of_two_reports_in_one_batch_the_first_stands_on_the_attempt(store: Backend) -> None:
    told = sending(store)
    first = told.report(Transient("first"), Retry(told.fence.due_at))
    assert told.settle(first, told.report(Unknown("second"), Retry(told.fence.due_at + timedelta(seconds=9))))
    assert (reported(told), told.view.due_at) == ("transient", told.fence.due_at)


def test_reports_on_several_attempts_reach_their_own(store: Backend) -> None:
    told = sending(store)
    assert told.settle(told.report(Unknown("one"), Retry(told.fence.due_at)))
    told.lease()
    assert told.settle(told.report(Accepted("late")), told.report(Transient("two"), Retry(store.now()), attempt_no=2))
    assert (told.status, reported(told, 1), reported(told, 2)) == (Status.SENT, "accepted", "transient")


def test_a_refused_credential_holds_the_delivery_and_its_integration(store: Backend) -> None:
    told = sending(store)
    told.refuse_credential()
    assert (told.status, told.view.attempt_no, told.view.spent) == (Status.HELD, 2, 0)
    assert store.held_version(told.project.integration()) == 1


def test_a_mended_integration_is_not_held_for_its_old_credential(store: Backend) -> None:
    told = sending(store)
    store.mend(told.project.integration())
    told.refuse_credential(version=1)
    assert told.status is Status.HELD
    assert store.held_version(told.project.integration()) is None
    assert [each.delivery_id for each in store.upkeep.release_held(10)] == [told.id]


def test_a_lost_change_holds_no_integration(store: Backend) -> None:
    told = sending(store)
    report = told.report(Rejected(RejectionKind.CONFIG, "revoked"), Hold("revoked"))
    stale = fold(told.state, [report])
    assert told.settle(told.report())
    assert store.outcomes.apply([stale]) == set()
    assert store.held_version(told.project.integration()) is None


def test_one_integration_is_held_by_a_whole_batch(store: Backend) -> None:
    told = sending(store)
    others = [accepted(store, told.project).queue().lease() for _ in range(3)]

    def refused(each: Told) -> Report:
        return each.report(Rejected(RejectionKind.CONFIG, "revoked"), Hold("revoked"))

    changes = [fold(each.state, [refused(each)]) for each in (told, *others)]
    assert len(store.outcomes.apply(changes)) == 4
    assert store.held_version(told.project.integration()) == 1
    assert {each.status for each in (told, *others)} == {Status.HELD}


def test_a_report_is_written_beside_its_attempt_and_no_index_is_told(postgres: PostgresBackend) -> None:
    """A HOT update: there is room for the report in the attempt's page, and no index knows anything of it."""
    project = postgres.project()
    planned = [project.plan(Channel.EMAIL) for _ in range(200)]
    postgres.acceptances.accept(project.principal, planned, None)
    fences = [Fence(each.deliveries[0].delivery_id, 1, each.send_at) for each in planned]
    postgres.leases.lease([QueueRecord(each, NOON) for each in fences], LEASE_SECONDS)
    pages = "SELECT DISTINCT (ctid::text::point)[0] FROM attempts ORDER BY 1"
    leased = postgres.superuser.run(pages)
    states = postgres.outcomes.states([each.delivery_id for each in fences])
    outcome = Accepted("<202611271200.12345678901@smtp-relay.mailin.fr>", exchange=EXCHANGE)
    reports = {each.delivery_id: Report(each.delivery_id, 1, outcome, Done(), NOON, 1) for each in fences}
    postgres.outcomes.apply([fold(states[each], [report]) for each, report in reports.items()])
    assert postgres.superuser.run(pages) == leased
    assert postgres.superuser.run(INDEXED_CHANGES) == []
