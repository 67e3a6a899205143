"""Amend: a person changes their mind, and the row decides who was first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from nofy.domain.edit import Edit
from nofy.domain.errors import ConflictError, InvalidRequestError, NotFoundError, ScheduleUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Rejected, RejectionKind
from nofy.domain.routing import Channel, Lane, Priority
from nofy.pipeline.amend import Amender
from nofy.ports.reading import DeadLetterFilter

if TYPE_CHECKING:
    from nofy.domain.notification import PlannedNotification
    from tests.fakes.world import World

LANE = Lane(Channel.SLACK, Priority.NORMAL)
NOBODYS = UUID(int=7)


@pytest.fixture
def amender(world: World) -> Amender:
    return Amender(world.store, world.store, world._faulty(world.schedule), world.clock)


def scheduled(world: World, *, due_in: float = 60) -> PlannedNotification:
    planned, _ = world.accept(Channel.SLACK, due_in=due_in)
    return planned


def failed(world: World) -> UUID:
    """A dead letter's id."""
    world.sender.answers = [Rejected(RejectionKind.RECIPIENT, "channel_not_found")]
    world.accepted()
    world.dispatch()
    world.consume()
    world.acknowledge()
    world.bury()
    (letter,) = world.store.dead_letters(world.project.principal, None, None, 10)
    return letter.dead_letter_id


def test_a_cancelled_notification_leaves_the_index_and_is_never_sent(world: World, amender: Amender):
    planned = scheduled(world, due_in=5)
    view = amender.cancel(world.project.principal, planned.notification_id)
    assert [each.status for each in view.deliveries] == [Status.CANCELLED]
    assert not world.schedule.due[LANE]
    world.clock.advance(6)
    world.dispatch()
    world.consume()
    assert world.sender.ledger == []


def test_what_is_queued_can_be_cancelled_and_its_record_falls_away(world: World, amender: Amender):
    planned = scheduled(world, due_in=0)
    world.dispatch()
    amender.cancel(world.project.principal, planned.notification_id)
    (delivered,) = world.consume()
    assert (delivered.leased, delivered.dropped, world.sender.ledger) == (0, 1, [])


def test_cancelling_twice_is_no_error(world: World, amender: Amender):
    planned = scheduled(world)
    for _ in range(2):
        amender.cancel(world.project.principal, planned.notification_id)


def test_what_was_sent_cannot_be_cancelled(world: World, amender: Amender):
    planned = scheduled(world, due_in=0)
    world.dispatch()
    world.consume()
    world.acknowledge()
    with pytest.raises(ConflictError) as refused:
        amender.cancel(world.project.principal, planned.notification_id)
    assert refused.value.code == "not_cancellable"


def test_a_moved_notification_is_sent_at_its_new_time_and_not_at_its_old_one(world: World, amender: Amender):
    planned = scheduled(world, due_in=2)
    amender.move(world.project.principal, planned.notification_id, world.clock() + timedelta(seconds=30), None)
    world.dispatch(5)
    assert world.queued() == []
    world.dispatch(30)
    world.consume()
    assert len(world.sender.ledger) == 1


def test_a_record_of_the_old_time_is_void_after_a_move(world: World, amender: Amender):
    planned = scheduled(world, due_in=2)
    world.faults.add("mark_queued", RuntimeError("the dispatcher died"))
    with pytest.raises(RuntimeError):
        world.dispatch(5)
    amender.move(world.project.principal, planned.notification_id, world.clock() + timedelta(seconds=30), None)
    world.consume()
    assert world.sender.ledger == []


def test_an_expiry_moves_along_unless_another_is_given(world: World, amender: Amender):
    planned = scheduled(world)
    later = planned.send_at + timedelta(days=10)
    view = amender.move(world.project.principal, planned.notification_id, later, None)
    assert view.expires_at - view.send_at == planned.expires_at - planned.send_at
    with pytest.raises(InvalidRequestError):
        amender.move(world.project.principal, planned.notification_id, later, later - timedelta(days=1))


def test_what_is_moved_beyond_the_window_leaves_the_index(world: World, amender: Amender):
    planned = scheduled(world)
    amender.move(world.project.principal, planned.notification_id, world.clock() + timedelta(days=2), None)
    assert not world.schedule.due[LANE]


def test_what_is_on_its_way_cannot_be_moved(world: World, amender: Amender):
    planned = scheduled(world, due_in=0)
    world.dispatch()
    with pytest.raises(ConflictError) as refused:
        amender.move(world.project.principal, planned.notification_id, world.clock() + timedelta(hours=1), None)
    assert refused.value.code == "not_movable"


def test_nobodys_notification_cannot_be_found(world: World, amender: Amender):
    with pytest.raises(NotFoundError):
        amender.cancel(world.project.principal, NOBODYS)
    with pytest.raises(NotFoundError):
        amender.move(world.project.principal, NOBODYS, world.clock(), None)
    with pytest.raises(NotFoundError):
        amender.redrive(world.project.principal, NOBODYS)


def test_a_redriven_dead_letter_is_sent_again_as_if_for_the_first_time(world: World, amender: Amender):
    letter = failed(world)
    amender.redrive(world.project.principal, letter)
    world.dispatch()
    world.consume()
    world.acknowledge()
    first, second = world.sender.ledger
    assert (second.fence.attempt_no, second.spent) == (first.fence.attempt_no + 1, 0)
    assert second.redrive_no == 1


def test_a_dead_letter_is_redriven_once(world: World, amender: Amender):
    letter = failed(world)
    amender.redrive(world.project.principal, letter)
    with pytest.raises(ConflictError) as refused:
        amender.redrive(world.project.principal, letter)
    assert refused.value.code == "not_redrivable"


def failed_again(world: World, count: int) -> list[UUID]:
    """So many deliveries that ended as dead letters of one cause."""
    world.sender.answers = [Rejected(RejectionKind.RECIPIENT, "channel_not_found")] * count
    deliveries = [world.accepted() for _ in range(count)]
    world.dispatch()
    world.consume()
    world.acknowledge()
    world.bury()
    return deliveries


ALL = DeadLetterFilter()


def test_a_group_is_redriven_at_the_rate_that_was_asked(world: World, amender: Amender):
    failed_again(world, 4)
    done = amender.redrive_many(world.project.principal, ALL, 3, 0.5, skip_expired=False)
    assert (len(done.entries), done.remaining) == (3, 1)
    sent = len(world.sender.ledger)
    for count in (1, 2, 3, 3):
        world.dispatch(1.5)
        world.consume()
        assert len(world.sender.ledger) == sent + count
        world.clock.advance(0.5)


def test_what_is_redriven_beyond_the_window_is_indexed_when_its_time_comes_near(world: World, amender: Amender):
    first, second = failed_again(world, 2)
    amender.redrive_many(world.project.principal, ALL, 2, 1 / 7200, skip_expired=False)
    assert set(world.schedule.due[LANE]) == {first}
    world.settle(125)
    assert (world.status(first), world.status(second)) == (Status.SENT, Status.SENT)


def test_a_redriven_delivery_that_fails_again_leads_back_to_where_it_came_from(world: World, amender: Amender):
    letter = failed(world)
    world.sender.answers = [Rejected(RejectionKind.RECIPIENT, "channel_not_found")]
    amender.redrive(world.project.principal, letter)
    world.settle(1)
    latest, first = world.store.dead_letters(world.project.principal, None, None, 10)
    assert (latest.previous, first.previous, first.dead_letter_id) == (letter, None, letter)
    again = amender.redrive(world.project.principal, latest.dead_letter_id)
    assert again.redrive_no == 2


def test_a_redrive_may_change_the_address(world: World, amender: Amender):
    letter = failed(world)
    amender.redrive(world.project.principal, letter, Edit(destination="C0OTHER", content={"text": "again"}))
    world.dispatch()
    world.consume()
    first, second = world.sender.ledger
    assert (first.destination, second.destination, second.content) == ("C0123", "C0OTHER", {"text": "again"})


def test_a_discarded_dead_letter_is_not_redriven_and_discarding_twice_is_no_error(world: World, amender: Amender):
    letter = failed(world)
    caller = world.project.principal
    for reason in ("a mistake", "another"):
        assert amender.discard(caller, letter, reason).discard_reason == "a mistake"
    with pytest.raises(ConflictError) as refused:
        amender.redrive(caller, letter)
    assert refused.value.code == "not_redrivable"
    assert amender.redrive_many(caller, ALL, 10, 1, skip_expired=False).entries == []


def test_what_was_redriven_cannot_be_discarded(world: World, amender: Amender):
    letter = failed(world)
    amender.redrive(world.project.principal, letter)
    with pytest.raises(ConflictError) as refused:
        amender.discard(world.project.principal, letter, "a mistake")
    assert refused.value.code == "not_discardable"
    with pytest.raises(NotFoundError):
        amender.discard(world.project.principal, NOBODYS, "a mistake")


def test_a_group_is_discarded_no_more_than_asked(world: World, amender: Amender):
    failed_again(world, 3)
    done = amender.discard_many(world.project.principal, ALL, 2, "a mistake")
    assert (done.letters, done.remaining) == (2, 1)


def test_without_redis_a_change_is_made_all_the_same(world: World, amender: Amender):
    planned = scheduled(world)
    away = ScheduleUnavailableError("away")
    with world.faults.down(away, "add", "remove"):
        moved = amender.move(world.project.principal, planned.notification_id, world.clock() + timedelta(hours=1), None)
        cancelled = amender.cancel(world.project.principal, planned.notification_id)
    assert moved.send_at == world.clock() + timedelta(hours=1)
    assert [each.status for each in cancelled.deliveries] == [Status.CANCELLED]
