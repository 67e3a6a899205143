"""What a person changes about work under way: the row decides, and the caller's project is the limit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Rejected, RejectionKind, Transient
from nofy.domain.retry import GiveUp, Retry
from nofy.domain.tokens import Mode
from tests.contract.stores import Backend
from tests.contract.stories import Told, accepted, lease


def cancel(told: Told) -> list:
    return told.store.amendments.cancel(told.project.principal, told.planned.notification_id)


def move(told: Told, seconds: float) -> list:
    send_at = told.fence.due_at + timedelta(seconds=seconds)
    return told.store.amendments.move(
        told.project.principal, told.planned.notification_id, send_at, told.planned.expires_at
    )


def retrying(store: Backend) -> Told:
    told = accepted(store).lease()
    assert told.settle(told.report(Transient("503"), Retry(told.fence.due_at)))
    return told


def held(store: Backend) -> Told:
    told = accepted(store)
    store.dispatches.hold([told.fence])
    return told


def buried(store: Backend) -> Told:
    told = accepted(store).lease()
    assert told.settle(told.report(Rejected(RejectionKind.RECIPIENT, "gone"), GiveUp("gone")))
    store.burials.bury([DeadLetter(Kind.DELIVERY, "gone", told.id, 1)])
    return told


@pytest.mark.parametrize("begin", [accepted, lambda store: accepted(store).queue(), retrying, held])
def test_what_is_not_being_sent_can_be_cancelled(store: Backend, begin) -> None:
    told = begin(store)
    assert [each.delivery_id for each in cancel(told)] == [told.id]
    assert told.status is Status.CANCELLED
    assert cancel(told) == []
    assert lease(store, told.current) == []


def test_what_is_being_sent_or_was_cannot_be_cancelled(store: Backend) -> None:
    sending = accepted(store).lease()
    assert cancel(sending) == []
    assert sending.settle(sending.report())
    assert cancel(sending) == []
    assert sending.status is Status.SENT


def test_another_project_or_mode_can_change_nothing(store: Backend) -> None:
    told = accepted(store, due_in=60)
    for other in (store.project(), store.second_key(told.project, Mode.TEST)):
        assert cancel(Told(store, other, told.planned)) == []
        assert move(Told(store, other, told.planned), 60) == []
    assert (told.status, told.current) == (Status.SCHEDULED, told.fence)


def test_a_scheduled_delivery_is_moved_and_says_so(store: Backend) -> None:
    told = accepted(store, due_in=60)
    (entry,) = move(told, 30)
    moved = told.fence.due_at + timedelta(seconds=30)
    assert (entry.due_at, told.view.due_at) == (moved, moved)
    view = store.reading.notification(told.project.principal, told.planned.notification_id)
    assert view is not None
    assert view.send_at == moved
    assert [each["event"] for each in told.view.history] == ["moved"]


@pytest.mark.parametrize("begin", [lambda store: accepted(store).queue(), retrying, held])
def test_what_no_longer_waits_for_its_first_time_cannot_be_moved(store: Backend, begin) -> None:
    told = begin(store)
    assert move(told, 30) == []


def test_a_dead_letter_is_redriven_once_and_afresh(store: Backend) -> None:
    told = buried(store)
    (letter,) = store.reading.dead_letters(told.project.principal, None, None, 10)
    assert [e.delivery_id for e in store.amendments.redrive(told.project.principal, letter.dead_letter_id)] == [told.id]
    assert store.amendments.redrive(told.project.principal, letter.dead_letter_id) == []
    view = told.view
    assert (view.status, view.attempt_no, view.spent, view.reason) == (Status.RETRYING, 2, 0, None)
    assert [each.redrive_no for each in lease(store, told.current)] == [1]


def test_another_projects_dead_letter_is_not_redriven(store: Backend) -> None:
    told, other = buried(store), store.project()
    (letter,) = store.reading.dead_letters(told.project.principal, None, None, 10)
    assert store.amendments.redrive(other.principal, letter.dead_letter_id) == []
    assert store.reading.dead_letter(other.principal, letter.dead_letter_id) is None
    assert told.status is Status.FAILED
