"""What the reconciler finds, and that it finds nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Transient, Unknown
from nofy.domain.retry import DeliveryMode, GiveUp, LeaveUnknown, Retry, Tried
from nofy.domain.routing import Channel, MessageClass, Priority
from nofy.domain.timing import IN_HAND_TOO_LONG, MOST_REQUEUES
from nofy.ports.reading import DeadLetterFilter
from nofy.ports.schedule import Entry
from nofy.ports.upkeep import Backlog, IndexProgress, Overdue, Stuck
from tests.contract.stores import Backend
from tests.contract.stories import LEASE_SECONDS, Told, accepted, lease


def failed(store: Backend) -> Told:
    told = accepted(store).lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("rejected_recipient: gone")))
    return told


def entry(told: Told) -> Entry:
    project_id = told.project.principal.project_id
    return Entry(told.planned.deliveries[0].lane, project_id, told.id, told.fence.due_at)


# The index


def test_there_is_no_progress_before_the_first_sweep(store: Backend) -> None:
    assert store.upkeep.index_progress() is None


def test_progress_is_one_row(store: Backend) -> None:
    first = IndexProgress("epoch-1", store.now())
    second = IndexProgress("epoch-2", store.now() + timedelta(minutes=15))
    store.upkeep.save_index_progress(first)
    assert store.upkeep.index_progress() == first
    store.upkeep.save_index_progress(second)
    assert store.upkeep.index_progress() == second


def test_what_is_due_between_two_moments_comes_soonest_first(store: Backend) -> None:
    late, soon, outside = accepted(store, due_in=30), accepted(store, due_in=10), accepted(store, due_in=90)
    until = late.fence.due_at
    assert store.upkeep.waiting_between(None, until, 10) == [entry(soon), entry(late)]
    assert store.upkeep.waiting_between(soon.fence.due_at, until, 10) == [entry(late)]
    assert store.upkeep.waiting_between(until, outside.fence.due_at, 10) == [entry(outside)]


def test_only_what_waits_is_indexed(store: Backend) -> None:
    accepted(store).queue()
    accepted(store).lease()
    store.dispatches.hold([accepted(store).fence])
    retrying = accepted(store).lease()
    assert retrying.settle(retrying.report(Transient("503"), Retry(retrying.fence.due_at)))
    found = store.upkeep.waiting_between(None, store.now() + timedelta(days=1), 10)
    assert [each.delivery_id for each in found] == [retrying.id]


def test_many_that_are_due_at_the_same_moment_are_many_pages(store: Backend) -> None:
    project = store.project()
    first = accepted(store, project, due_in=5)
    tied = [project.plan(Channel.SLACK, Channel.EMAIL, Channel.WHATSAPP, due_in=10)]
    tied += [replace(project.plan(), send_at=tied[0].send_at)]
    store.acceptances.accept(project.principal, tied)
    last = accepted(store, project, due_in=20)
    pages = [store.upkeep.waiting_between(None, last.fence.due_at, 2)]
    while len(pages[-1]) == 2:
        pages.append(store.upkeep.waiting_between(pages[-1][-1], last.fence.due_at, 2))
    found = [each for page in pages for each in page]
    ties = sorted(each.delivery_id for planned in tied for each in planned.deliveries)
    assert [each.delivery_id for each in found] == [first.id, *ties, last.id]
    assert {each.due_at for each in found[1:-1]} == {tied[0].send_at}


def test_what_was_born_since_a_moment_and_is_due_before_another(store: Backend) -> None:
    old, fresh = accepted(store, born_ago=180), accepted(store, due_in=5)
    accepted(store, due_in=1_000)
    accepted(store).queue()
    now = store.now()
    since, until = now - timedelta(minutes=2), now + timedelta(minutes=15)
    assert store.upkeep.accepted_since(since, until) == [entry(fresh)]
    assert {each.delivery_id for each in store.upkeep.accepted_since(since - timedelta(minutes=2), until)} == {
        old.id,
        fresh.id,
    }


# Expired leases


def test_a_lease_that_still_runs_is_left_alone(store: Backend) -> None:
    accepted(store).lease()
    store.let_pass(LEASE_SECONDS - 5)
    assert store.upkeep.expired_leases(10) == []


def test_a_lease_that_ran_out_is_told_with_what_the_policy_needs(store: Backend) -> None:
    told = accepted(store, mode=DeliveryMode.AT_MOST_ONCE, message_class=MessageClass.CRITICAL).lease()
    store.let_pass(LEASE_SECONDS + 1)
    tried = Tried(0, Priority.HIGH, DeliveryMode.AT_MOST_ONCE, told.planned.expires_at)
    assert store.upkeep.expired_leases(10) == [Overdue(told.id, 1, tried, 1, None)]


def test_a_kept_report_is_found_as_it_was_kept(store: Backend) -> None:
    told = accepted(store).lease()
    report = told.report(Unknown("silence"), Retry(told.fence.due_at + timedelta(seconds=3)))
    store.leases.keep_reports([report])
    store.let_pass(0.01)
    assert [each.report for each in store.upkeep.expired_leases(10)] == [report]


def test_what_was_acknowledged_has_no_lease_to_expire(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Transient("503"), Retry(told.fence.due_at)))
    store.let_pass(LEASE_SECONDS + 1)
    assert store.upkeep.expired_leases(10) == []


def test_only_the_attempt_under_way_can_expire(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Unknown("silence"), Retry(told.fence.due_at)))
    lease(store, told.current, seconds=10)
    store.let_pass(11)
    assert [(each.attempt_no, each.tried.spent) for each in store.upkeep.expired_leases(10)] == [(2, 1)]


def test_the_longest_expired_come_first_and_no_more_than_asked(store: Backend) -> None:
    second, first, third = (accepted(store) for _ in range(3))
    for told, seconds in ((second, 20), (first, 10), (third, 30)):
        lease(store, told.fence, seconds=seconds)
    store.let_pass(60)
    assert [each.delivery_id for each in store.upkeep.expired_leases(2)] == [first.id, second.id]


# Stuck, held, unburied


def test_queued_for_long_is_told_with_the_record_it_waits_for(store: Backend) -> None:
    told = accepted(store).queue(partition=2, offset=2**40)
    accepted(store).lease()
    store.let_pass(121)
    accepted(store).queue()
    lane = told.planned.deliveries[0].lane
    assert store.upkeep.stuck_queued(120, 10) == [Stuck(told.fence, lane, 2, 2**40)]


def test_requeued_work_is_due_when_it_was(store: Backend) -> None:
    told = accepted(store).queue()
    assert store.upkeep.requeue([told.fence]) == [entry(told)]
    assert (told.status, told.current) == (Status.SCHEDULED, told.fence)
    assert [each["event"] for each in told.view.history] == ["requeued"]


def test_a_delivery_whose_records_are_lost_again_and_again_fails_and_is_buried(store: Backend) -> None:
    told = accepted(store)
    for _ in range(MOST_REQUEUES):
        assert store.upkeep.requeue([told.queue().fence])
    assert store.upkeep.requeue([told.queue().fence]) == []
    assert told.status is Status.FAILED
    store.let_pass(61)
    letters = store.upkeep.unburied(10)
    assert [each.reason for each in letters] == ["its records were lost in Kafka again and again"]


def test_whoever_is_redriven_may_lose_as_many_records_as_before(store: Backend) -> None:
    told = accepted(store)
    for _ in range(MOST_REQUEUES + 1):
        store.upkeep.requeue([told.queue().fence])
    store.let_pass(61)
    store.burials.bury(store.upkeep.unburied(10))
    (letter,) = store.reading.dead_letters(told.project.principal, DeadLetterFilter(), None, 10)
    store.amendments.redrive(told.project.principal, letter.dead_letter_id)
    told.queue()
    assert store.upkeep.requeue([told.current])


def test_requeueing_respects_the_fence(store: Backend) -> None:
    queued, sending = accepted(store).queue(), accepted(store).queue().lease()
    other_attempt = replace(queued.fence, attempt_no=2)
    other_time = replace(queued.fence, due_at=queued.fence.due_at + timedelta(seconds=1))
    assert store.upkeep.requeue([other_attempt, other_time, sending.fence]) == []
    assert (queued.status, sending.status) == (Status.QUEUED, Status.SENDING)
    assert store.upkeep.requeue([]) == []


def test_held_deliveries_stay_until_their_integration_is_mended(store: Backend) -> None:
    told = accepted(store).lease()
    told.refuse_credential()
    waiting = accepted(store, told.project)
    store.dispatches.hold([waiting.fence])
    assert store.upkeep.release_held(10) == []
    store.mend(told.project.integration())
    assert {each.delivery_id for each in store.upkeep.release_held(10)} == {told.id, waiting.id}
    assert (told.status, told.view.attempt_no, waiting.status) == (Status.SCHEDULED, 2, Status.SCHEDULED)
    assert [each["event"] for each in waiting.view.history] == ["released"]


def test_no_more_are_released_than_asked(store: Backend) -> None:
    told = [accepted(store) for _ in range(3)]
    store.dispatches.hold([each.fence for each in told])
    assert [len(store.upkeep.release_held(2)) for _ in range(3)] == [2, 1, 0]


def test_left_as_unknown_for_a_minute_without_a_dead_letter(store: Backend) -> None:
    told = accepted(store, mode=DeliveryMode.AT_MOST_ONCE).lease()
    assert told.settle(told.report(Unknown("silence"), LeaveUnknown("unknown: silence")))
    assert store.upkeep.unburied(10) == []
    store.let_pass(61)
    letter = DeadLetter(Kind.DELIVERY, "unknown: silence", told.id, 1)
    assert store.upkeep.unburied(10) == [letter]
    store.burials.bury([letter])
    assert store.upkeep.unburied(10) == []


def test_failed_for_a_minute_without_a_dead_letter(store: Backend) -> None:
    told, buried = failed(store), failed(store)
    store.burials.bury([DeadLetter(Kind.DELIVERY, "gone", buried.id, 1)])
    assert store.upkeep.unburied(10) == []
    store.let_pass(61)
    letter = DeadLetter(Kind.DELIVERY, "rejected_recipient: gone", told.id, 1)
    assert store.upkeep.unburied(10) == [letter]
    store.burials.bury([letter])
    assert store.upkeep.unburied(10) == []


# The backlog


def test_where_nothing_waits_there_is_no_backlog(store: Backend) -> None:
    accepted(store)
    accepted(store).lease()
    assert store.upkeep.backlog() == Backlog(oldest_queued_seconds=0, held_integrations=0)


def test_the_oldest_queued_is_as_old_as_its_place_in_kafka(store: Backend) -> None:
    accepted(store, born_ago=500).queue()
    store.let_pass(90)
    accepted(store).queue()
    assert 90 <= store.upkeep.backlog().oldest_queued_seconds < 95


def test_an_integration_is_held_until_it_is_mended_however_much_waits_for_it(store: Backend) -> None:
    told = accepted(store).lease()
    told.refuse_credential()
    store.dispatches.hold([accepted(store, told.project).fence])
    accepted(store)
    assert store.upkeep.backlog().held_integrations == 1
    store.mend(told.project.integration())
    assert store.upkeep.backlog().held_integrations == 0


# Lost


def test_nothing_is_lost_in_a_normal_life(store: Backend) -> None:
    project = store.project()
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0
    accepted(store, project, due_in=3_600)
    accepted(store, project).queue()
    sending = accepted(store, project).lease()
    sent = accepted(store, project).lease()
    assert sent.settle(sent.report(Accepted()))
    assert sending.settle(sending.report(Transient("503"), Retry(store.now() + timedelta(hours=1))))
    store.dispatches.hold([accepted(store, project).fence])
    failed(store)
    store.let_pass(400)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0


def test_a_row_that_vanished_is_lost(store: Backend) -> None:
    told = accepted(store)
    store.vanish(told.id)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 1


def test_overdue_and_untouched_is_lost(store: Backend) -> None:
    told = accepted(store, born_ago=400)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 1
    assert store.upkeep.lost(500, IN_HAND_TOO_LONG) == 0
    told.queue()
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0


def test_overdue_and_just_put_back_is_not_lost(store: Backend) -> None:
    told = accepted(store, born_ago=400).queue()
    store.upkeep.requeue([told.fence])
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0
    store.let_pass(301)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 1


@pytest.mark.parametrize("in_hand", [Told.queue, Told.lease])
def test_overdue_in_hand_and_without_progress_is_lost(store: Backend, in_hand: Callable[[Told], Told]) -> None:
    told = in_hand(accepted(store, born_ago=2 * IN_HAND_TOO_LONG))
    store.let_pass(IN_HAND_TOO_LONG - 5)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0
    store.let_pass(6)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 1
    fence = told.current
    in_hand(accepted(store, told.project, due_in=3_600))
    assert (store.upkeep.lost(300, IN_HAND_TOO_LONG), told.current) == (1, fence)


def test_in_hand_too_long_before_its_time_is_not_lost(store: Backend) -> None:
    accepted(store, due_in=3_600).lease()
    accepted(store, due_in=3_600).queue()
    store.let_pass(IN_HAND_TOO_LONG + 1)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0


def test_what_a_new_lease_or_an_outcome_moved_is_not_lost(store: Backend) -> None:
    leased, sent = (accepted(store, born_ago=2 * IN_HAND_TOO_LONG).queue() for _ in range(2))
    store.let_pass(IN_HAND_TOO_LONG + 1)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 2
    leased.lease()
    assert sent.lease().settle(sent.report(Accepted()))
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0


def test_held_work_waits_for_a_person_and_is_not_lost(store: Backend) -> None:
    told = accepted(store, born_ago=2 * IN_HAND_TOO_LONG)
    store.dispatches.hold([told.fence])
    store.let_pass(IN_HAND_TOO_LONG + 1)
    assert store.upkeep.lost(300, IN_HAND_TOO_LONG) == 0
