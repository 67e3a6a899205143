"""The guard: an attempt is begun once, and only under a fence that holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Transient, Unknown
from nofy.domain.retry import DeliveryMode, Retry
from nofy.domain.routing import Channel, Priority, Provider
from nofy.domain.tokens import Mode
from tests.contract.stores import Backend
from tests.contract.stories import LEASE_SECONDS, accepted, lease


def test_a_lease_tells_everything_a_sender_needs(store: Backend) -> None:
    told = accepted(store, channel=Channel.EMAIL, mode=DeliveryMode.AT_MOST_ONCE)
    (leased,) = lease(store, told.fence)
    assert leased.fence == told.fence
    assert (leased.project_id, leased.notification_id, leased.integration_id) == (
        told.project.principal.project_id,
        told.planned.notification_id,
        told.project.integration(Channel.EMAIL),
    )
    assert (leased.channel, leased.provider, leased.priority) == (Channel.EMAIL, Provider.BREVO, Priority.NORMAL)
    assert (leased.destination, leased.content) == ("ada@example.com", told.planned.deliveries[0].content)
    assert (leased.settings, leased.credential, leased.credential_version) == ({"sender": "Nofy"}, b"sealed", 1)
    assert (leased.delivery_mode, leased.expires_at) == (DeliveryMode.AT_MOST_ONCE, told.planned.expires_at)
    assert (leased.spent, leased.redrive_no, leased.live) == (0, 0, True)
    assert told.status is Status.SENDING


def test_a_test_tokens_delivery_is_not_live(store: Backend) -> None:
    told = accepted(store, store.project(Mode.TEST))
    assert [each.live for each in lease(store, told.fence)] == [False]


def test_the_credential_is_the_one_of_the_moment(store: Backend) -> None:
    told = accepted(store)
    store.mend(told.project.integration())
    assert [each.credential_version for each in lease(store, told.fence)] == [2]


def test_queued_and_still_scheduled_deliveries_can_be_leased(store: Backend) -> None:
    scheduled, queued = accepted(store), accepted(store).queue()
    assert {each.fence for each in lease(store, scheduled.fence, queued.fence)} == {scheduled.fence, queued.fence}


def test_a_retry_is_leased_under_its_new_fence_and_not_under_the_old_one(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Transient("503"), Retry(told.fence.due_at + timedelta(seconds=2))))
    old, new = told.fence, told.current
    assert [each.fence for each in lease(store, old, new)] == [new]
    assert new.attempt_no == 2


def test_an_older_attempt_is_not_leased(store: Backend) -> None:
    told = accepted(store)
    assert lease(store, replace(told.fence, attempt_no=0), replace(told.fence, attempt_no=2)) == []
    assert told.status is Status.SCHEDULED


def test_a_moved_delivery_is_not_leased_for_its_old_time(store: Backend) -> None:
    told = accepted(store, due_in=5)
    moved = told.fence.due_at + timedelta(seconds=60)
    store.amendments.move(told.project.principal, told.planned.notification_id, moved, told.planned.expires_at)
    assert lease(store, told.fence) == []
    assert [each.fence for each in lease(store, replace(told.fence, due_at=moved))] == [told.current]


def test_a_cancelled_delivery_is_not_leased(store: Backend) -> None:
    told = accepted(store).queue()
    store.amendments.cancel(told.project.principal, told.planned.notification_id)
    assert lease(store, told.fence) == []


@pytest.mark.parametrize("end", ["hold", "expire"])
def test_a_held_or_expired_delivery_is_not_leased(store: Backend, end: str) -> None:
    told = accepted(store)
    getattr(store.dispatches, end)([told.fence])
    assert lease(store, told.fence) == []


def test_duplicates_in_one_batch_are_one_lease(store: Backend) -> None:
    told = accepted(store)
    assert [each.fence for each in lease(store, told.fence, told.fence, told.fence)] == [told.fence]
    assert len(told.view.attempts) == 1


def test_a_batch_that_comes_again_leases_nothing(store: Backend) -> None:
    told = accepted(store)
    assert len(lease(store, told.fence)) == 1
    assert lease(store, told.fence) == []


def test_a_batch_leases_what_it_can_and_drops_the_rest(store: Backend) -> None:
    first, gone, last = accepted(store), accepted(store), accepted(store)
    store.amendments.cancel(gone.project.principal, gone.planned.notification_id)
    unknown = replace(first.fence, delivery_id=first.project.new_id())
    found = lease(store, last.fence, gone.fence, unknown, first.fence)
    assert {each.fence for each in found} == {first.fence, last.fence}


def test_a_lease_lasts_by_the_stores_own_clock(store: Backend) -> None:
    told = accepted(store)
    before = store.now()
    lease(store, told.fence)
    lasts = timedelta(seconds=LEASE_SECONDS)
    assert before + lasts <= store.lease_until(told.id, 1) <= store.now() + lasts


def test_the_attempt_is_told_with_its_times(store: Backend) -> None:
    told = accepted(store)
    lease(store, told.fence)
    attempt = told.attempt()
    assert (attempt.attempt_no, attempt.due_at) == (1, told.fence.due_at)
    assert attempt.dispatched_at <= attempt.leased_at
    assert (attempt.report, attempt.acknowledged_at) == (None, None)


def test_a_kept_report_stands_on_its_attempt_and_ends_the_lease(store: Backend) -> None:
    told = accepted(store).lease()
    store.leases.keep_reports([told.report()])
    report = told.attempt().report
    assert report is not None
    assert (report["outcome"], report["decided"]) == ("accepted", {"decision": "done"})
    assert store.lease_until(told.id, 1) <= store.now()
    assert told.status is Status.SENDING  # the acks handler is the only writer of outcomes


def test_a_report_is_not_kept_over_an_acknowledged_one(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report())
    store.leases.keep_reports([told.report(Unknown("late"), Retry(store.now()))])
    report = told.attempt().report
    assert report is not None
    assert report["outcome"] == "accepted"


def test_a_lease_tells_since_when_an_earlier_attempt_is_in_doubt(store: Backend) -> None:
    told = accepted(store).lease()
    begun = told.attempt().leased_at
    again = told.fence.due_at + timedelta(seconds=2)
    assert told.settle(told.report(Unknown("reset"), Retry(again)))
    (second,) = lease(store, told.current)
    assert second.in_doubt_since == begun
    assert told.settle(told.report(Transient("503"), Retry(again), attempt_no=2))
    (third,) = lease(store, told.current)
    assert third.in_doubt_since == begun  # what was answered since takes no doubt away


def test_what_was_refused_is_not_in_doubt(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Transient("503"), Retry(told.fence.due_at + timedelta(seconds=2))))
    assert [each.in_doubt_since for each in lease(store, told.current)] == [None]
