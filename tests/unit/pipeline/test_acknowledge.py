"""Acknowledge: idempotent, monotonic, and an ack is never given up on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.errors import ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.records import InboundRecord, OutboundRecord, ack_value
from nofy.domain.retry import Retry
from nofy.domain.routing import ACKS_TOPIC
from nofy.domain.timing import INDEX_WINDOW
from tests.fakes import Died
from tests.fakes.projects import report_on
from tests.fakes.world import World


def sending(world: World, *answers, **plan):
    """A delivery whose provider gave this answer, and whose ack lies in Kafka."""
    world.sender.answers = list(answers)
    delivery = world.accepted(**plan)
    world.dispatch()
    world.consume()
    return delivery


def tell(world: World, *reports) -> list[InboundRecord]:
    world.bus.publish([OutboundRecord(ACKS_TOPIC, each.delivery_id.bytes, ack_value(each)) for each in reports])
    return world.acks()


def test_an_acceptance_is_sent(world: World) -> None:
    delivery = sending(world)
    done = world.acknowledge()
    assert (len(done.changes), done.unreadable, done.compares_lost) == (1, 0, 0)
    assert (world.status(delivery), world.row(delivery).provider_message_id) == (Status.SENT, "message-1")


def test_a_retry_is_indexed_after_the_commit_and_sent_at_its_time(world: World) -> None:
    delivery = sending(world, Transient("503"))
    world.acknowledge()
    row = world.row(delivery)
    assert (row.status, row.attempt_no, row.spent) == (Status.RETRYING, 2, 1)
    assert world.schedule.knows(delivery)
    due_at = row.due_at
    world.dispatch(5)
    world.consume()
    world.acknowledge()
    assert (world.calls(delivery), row.status) == ([1, 2], Status.SENT)
    assert row.attempts[2].leased_at >= due_at


def test_a_retry_that_cannot_be_indexed_is_found_by_the_reconciler(world: World) -> None:
    delivery = sending(world, Transient("503"))
    with world.faults.down(ScheduleUnavailableError("down"), "add"):
        world.acknowledge()
    assert not world.schedule.knows(delivery)
    world.settle(3)
    assert world.status(delivery) is Status.SENT


def test_a_far_retry_is_left_to_the_reconciler(world: World) -> None:
    delivery = sending(world, Throttled("429", INDEX_WINDOW + 60))
    world.acknowledge()
    assert not world.schedule.knows(delivery)
    world.settle(20)
    assert world.status(delivery) is Status.SENT


def test_a_batch_that_comes_twice_changes_nothing(world: World) -> None:
    delivery = sending(world, Transient("503"))
    records = world.acks()
    world.acknowledge(records)
    before = world.row(delivery).state
    world.acknowledge([*records, *records])
    assert world.row(delivery).state == before


def test_an_ack_handler_that_dies_before_or_after_its_commit_is_harmless(world: World) -> None:
    for after in (False, True):
        delivery = sending(world, Transient("503"))
        world.faults.add("apply", Died(), after=after)
        with pytest.raises(Died):
            world.acknowledge()
        world.acknowledge()
        assert (world.row(delivery).attempt_no, world.row(delivery).spent) == (2, 1)
        assert world.schedule.knows(delivery)


@pytest.mark.parametrize("turned", [False, True])
def test_an_acceptance_wins_over_an_unknown_in_either_order(world: World, turned: bool) -> None:
    delivery = sending(world)
    fence = world.row(delivery).fence
    unknown = report_on(fence, Unknown("silence"), Retry(world.clock()), at=world.clock())
    records = [*world.acks(), tell(world, unknown)[-1]]
    for each in reversed(records) if turned else records:
        world.acknowledge([each])
    assert world.status(delivery) is Status.SENT


def test_an_acceptance_that_comes_late_calls_off_what_was_begun_since(world: World) -> None:
    delivery = sending(world)
    fence = world.row(delivery).fence
    accepted = world.acks()
    unknown = report_on(fence, Unknown("silence"), Retry(world.clock()), at=world.clock())
    world.acknowledge([tell(world, unknown)[-1]])
    world.dispatch(1)
    assert world.status(delivery) is Status.QUEUED
    world.acknowledge(accepted)
    world.consume()
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_a_late_failure_does_not_undo_an_acceptance(world: World) -> None:
    delivery = sending(world)
    fence = world.row(delivery).fence
    world.acknowledge()
    late = report_on(fence, Transient("503"), Retry(world.clock()), at=world.clock())
    world.acknowledge(tell(world, late))
    assert world.row(delivery).statuses[-1] is Status.SENT


def test_a_row_that_somebody_changed_in_between_is_read_again(world: World) -> None:
    delivery = sending(world, Unknown("silence"))
    states = world.store.states

    def changed_meanwhile(ids):
        found = states(ids)
        world.store.states = states  # type: ignore[method-assign]
        row = world.row(delivery)
        row.attempt_no, row.status = 2, Status.RETRYING
        return found

    world.store.states = changed_meanwhile  # type: ignore[method-assign]
    done = world.acknowledge()
    assert (done.compares_lost, len(done.changes)) == (1, 1)
    assert (world.row(delivery).attempt_no, world.row(delivery).spent) == (2, 0)


def test_only_the_rows_that_lost_are_read_again(world: World) -> None:
    one, two = sending(world), sending(world)
    asked: list[set] = []
    states, apply = world.store.states, world.store.apply
    world.store.states = lambda ids: asked.append(set(ids)) or states(ids)  # type: ignore[method-assign, func-returns-value]

    def lose_one(changes):
        world.store.apply = apply  # type: ignore[method-assign]
        return apply([each for each in changes if each.before.delivery_id != two])

    world.store.apply = lose_one  # type: ignore[method-assign]
    world.acknowledge()
    assert asked == [{one, two}, {two}]
    assert (world.status(one), world.status(two)) == (Status.SENT, Status.SENT)


def test_a_refused_credential_holds_until_it_is_mended(world: World) -> None:
    delivery = sending(world, Rejected(RejectionKind.CONFIG, "token_revoked"))
    world.acknowledge()
    assert (world.status(delivery), world.row(delivery).spent) == (Status.HELD, 0)
    world.settle(2)
    assert world.calls(delivery) == [1]
    world.store.mend(world.project.integration())
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([1, 2], Status.SENT)


def test_what_nobody_can_read_is_buried_and_its_neighbours_are_applied(world: World) -> None:
    delivery = sending(world)
    (good,) = world.acks()
    bad = [replace(good, offset=90 + n, value=value) for n, value in enumerate([b"?", b'{"v":1}', b'{"v":9}'])]
    done = world.acknowledge([bad[0], good, *bad[1:]])
    assert (done.unreadable, world.status(delivery)) == (3, Status.SENT)
    assert [row.letter.raw for row in world.store.tables.dead_letters] == [each.value for each in bad]


def test_an_ack_for_nobody_is_buried(world: World) -> None:
    delivery = sending(world)
    world.store.vanish(delivery)
    assert world.acknowledge().unreadable == 1
    assert world.dead_letters() == ["an ack for a delivery that does not exist"]


@pytest.mark.parametrize("method", ["states", "apply", "bury"])
def test_a_store_that_is_down_is_raised_so_that_the_batch_comes_again(world: World, method: str) -> None:
    delivery = sending(world)
    bad = replace(world.acks()[0], offset=99, value=b"?")
    records = [*world.acks(), bad]
    world.faults.add(method, StoreUnavailableError("down"))
    with pytest.raises(StoreUnavailableError):
        world.acknowledge(records)
    world.acknowledge(records)
    assert world.status(delivery) is Status.SENT
    assert len(world.dead_letters()) == 1


def test_an_empty_batch(world: World) -> None:
    assert world.acknowledge([]).changes == ()


def test_several_attempts_of_one_delivery_in_one_batch_are_folded_in_order(world: World) -> None:
    delivery = sending(world)
    fence = world.row(delivery).fence
    at = world.clock()
    retried = report_on(fence, Transient("503"), Retry(at + timedelta(seconds=1)), at=at)
    late = report_on(fence, Accepted("message-9"), at=at)
    records = tell(world, retried, late)[-2:]
    done = world.acknowledge(records)
    assert len(done.changes) == 1
    assert world.status(delivery) is Status.SENT
