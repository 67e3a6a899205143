"""The dispatcher's statements: what waits, and that every write holds only where its fence still does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.delivery import Fence, Waiting
from nofy.domain.lifecycle import Status
from nofy.domain.routing import Channel, Lane, Priority
from nofy.ports.store import Queued
from tests.contract.stores import Backend
from tests.contract.stories import Told, accepted


def test_what_waits_is_told_with_everything_the_dispatcher_decides_on(store: Backend) -> None:
    told = accepted(store, due_in=5)
    assert store.dispatches.waiting([told.id]) == [
        Waiting(
            told.fence,
            told.project.principal.project_id,
            Lane(Channel.SLACK, Priority.NORMAL),
            "C0123",
            told.planned.expires_at,
            False,
            1,
        )
    ]


def test_what_waits_tells_its_projects_weight(store: Backend) -> None:
    told = accepted(store)
    store.weigh(told.project, 7)
    assert [each.weight for each in store.dispatches.waiting([told.id])] == [7]


def test_what_does_not_exist_or_does_not_wait_is_not_told(store: Backend) -> None:
    waiting, queued = accepted(store), accepted(store).queue()
    sending = accepted(store).lease()
    unknown = waiting.project.new_id()
    found = store.dispatches.waiting([queued.id, sending.id, unknown, waiting.id, waiting.id])
    assert [each.fence.delivery_id for each in found] == [waiting.id]


def test_nothing_is_asked_for_and_nothing_is_told(store: Backend) -> None:
    assert store.dispatches.waiting([]) == []
    store.dispatches.mark_queued([])
    store.dispatches.hold([])
    store.dispatches.expire([])


def test_a_held_integration_is_seen_until_it_gets_another_credential(store: Backend) -> None:
    refused = accepted(store).lease()
    refused.refuse_credential()
    told = accepted(store, refused.project)
    assert [each.integration_held for each in store.dispatches.waiting([told.id])] == [True]
    store.mend(told.project.integration())
    assert [each.integration_held for each in store.dispatches.waiting([told.id])] == [False]


def _mark_queued(store: Backend, fence: Fence) -> None:
    store.dispatches.mark_queued([Queued(fence, 0, 0)])


WRITES = {
    Status.QUEUED: _mark_queued,
    Status.HELD: lambda store, fence: store.dispatches.hold([fence]),
    Status.EXPIRED: lambda store, fence: store.dispatches.expire([fence]),
}


@pytest.mark.parametrize("status", WRITES)
def test_a_write_holds_where_its_fence_does(store: Backend, status: Status) -> None:
    told, bystander = accepted(store), accepted(store)
    WRITES[status](store, told.fence)
    assert (told.status, bystander.status) == (status, Status.SCHEDULED)


@pytest.mark.parametrize("status", WRITES)
def test_a_write_does_nothing_under_an_older_attempt(store: Backend, status: Status) -> None:
    told = accepted(store)
    WRITES[status](store, replace(told.fence, attempt_no=2))
    assert told.status is Status.SCHEDULED


@pytest.mark.parametrize("status", WRITES)
def test_a_write_does_nothing_when_the_time_was_moved(store: Backend, status: Status) -> None:
    told = accepted(store)
    WRITES[status](store, replace(told.fence, due_at=told.fence.due_at + timedelta(microseconds=1)))
    assert told.status is Status.SCHEDULED


@pytest.mark.parametrize("status", WRITES)
def test_a_write_does_nothing_to_what_a_consumer_already_sends(store: Backend, status: Status) -> None:
    told = accepted(store).lease()
    WRITES[status](store, told.fence)
    assert told.status is Status.SENDING


def test_why_it_was_held_or_expired_stands_on_it(store: Backend) -> None:
    held, expired = accepted(store), accepted(store)
    store.dispatches.hold([held.fence])
    store.dispatches.expire([expired.fence])
    assert "credential" in str(held.view.reason)
    assert "expired" in str(expired.view.reason)


def test_cancelled_work_is_not_waiting_and_cannot_be_queued(store: Backend) -> None:
    told: Told = accepted(store)
    store.amendments.cancel(told.project.principal, told.planned.notification_id)
    assert store.dispatches.waiting([told.id]) == []
    _mark_queued(store, told.fence)
    assert told.status is Status.CANCELLED
