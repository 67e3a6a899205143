"""Accept: the row is the promise, the index is a convenience."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nofy.domain.errors import ConflictError, IdempotencyKeyReusedError, ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.routing import Channel
from nofy.domain.timing import ACCEPT_WINDOW, INDEX_WINDOW
from nofy.ports.store import IdempotencyClaim
from tests.fakes import Died
from tests.fakes.world import World

CLAIM = IdempotencyClaim("order-1", b"hash", {"id": "first"})


def test_what_is_due_soon_is_stored_and_indexed(world: World) -> None:
    planned, replay = world.accept(Channel.SLACK, Channel.EMAIL, due_in=60)
    assert replay is None
    for each in planned.deliveries:
        assert world.status(each.delivery_id) is Status.SCHEDULED
        assert world.schedule.due[each.lane].keys() == {each.delivery_id}


def test_what_is_due_now_wakes_the_dispatcher(world: World) -> None:
    world.accepted()
    before = world.clock()
    world.schedule.sleep(1)
    assert world.clock() == before


@pytest.mark.parametrize(("due_in", "indexed"), [(ACCEPT_WINDOW, True), (ACCEPT_WINDOW + 1, False)])
def test_only_what_is_due_inside_the_window_is_indexed(world: World, due_in: float, indexed: bool) -> None:
    assert world.schedule.knows(world.accepted(due_in=due_in)) is indexed


def test_the_producers_window_reaches_beyond_the_reconcilers(world: World) -> None:
    between = world.accepted(due_in=INDEX_WINDOW + 60)
    assert world.schedule.knows(between)


def test_a_lost_index_costs_nothing_but_time(world: World) -> None:
    with world.faults.down(ScheduleUnavailableError("down"), "add"):
        delivery = world.accepted()
    assert world.status(delivery) is Status.SCHEDULED
    world.settle(2)
    assert world.status(delivery) is Status.SENT


def test_a_producer_that_dies_before_it_indexes_loses_nothing(world: World) -> None:
    world.faults.add("add", Died())
    with pytest.raises(Died):
        world.accepted()
    (delivery,) = world.store.tables.deliveries
    assert not world.schedule.knows(delivery)
    world.settle(2)
    assert world.status(delivery) is Status.SENT


def test_a_store_that_is_down_accepts_and_indexes_nothing(world: World) -> None:
    with (
        world.faults.down(StoreUnavailableError("down"), "accept"),
        pytest.raises(StoreUnavailableError),
    ):
        world.accepted()
    assert world.schedule.claim(dict.fromkeys(world.schedule.due, 10), world.clock(), "run").claims == ()


def test_a_replay_is_answered_and_not_indexed_again(world: World) -> None:
    world.accept(claim=CLAIM)
    again, replay = world.accept(claim=CLAIM)
    assert replay == {"id": "first"}
    assert not world.schedule.knows(again.deliveries[0].delivery_id)


def test_a_client_that_never_heard_the_answer_gets_the_same_one(world: World) -> None:
    world.faults.add("accept", Died(), after=True)
    with pytest.raises(Died):
        world.accept(claim=CLAIM)
    assert world.accept(claim=CLAIM)[1] == {"id": "first"}
    assert len(world.store.tables.deliveries) == 1


def test_a_key_in_flight_or_reused_is_the_callers_to_know(world: World) -> None:
    world.accept(claim=CLAIM)
    with pytest.raises(IdempotencyKeyReusedError):
        world.accept(claim=IdempotencyClaim("order-1", b"other", {}))
    principal = world.project.principal
    world.store.tables.in_flight.add((principal.project_id, principal.mode, "order-2"))
    with pytest.raises(ConflictError):
        world.accept(claim=IdempotencyClaim("order-2", b"hash", {}))


def test_what_is_due_beyond_the_window_is_sent_at_its_time(world: World) -> None:
    delivery = world.accepted(due_in=ACCEPT_WINDOW + 600)
    world.settle(20)
    assert world.calls(delivery) == []
    world.settle(10)
    assert world.calls(delivery) == [1]
    assert world.row(delivery).attempts[1].leased_at - world.row(delivery).due_at < timedelta(seconds=15)
