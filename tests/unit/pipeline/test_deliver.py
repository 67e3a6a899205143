"""Deliver: lease, send, decide, report; and nothing is raised once something was leased."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from nofy.domain.dead_letters import Kind, read
from nofy.domain.delivery import Fence
from nofy.domain.errors import (
    BusUnavailableError,
    InvokeRefusedError,
    InvokeUncertainError,
    NofyError,
    StoreUnavailableError,
)
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, NotTried, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.records import InboundRecord, read_ack
from nofy.domain.retry import DeliveryMode, Done, GiveUp, Hold, LeaveUnknown, Park, Retry
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC, Channel, Provider
from nofy.domain.timing import ATTEMPT_LEASE, CONSUMER_TIMEOUT, INVOKE_READ_TIMEOUT, SENDER_TIMEOUT
from nofy.pipeline import deliver
from nofy.pipeline.group import GROUP_BYTES, GROUP_SIZE, cut, groups
from tests.fakes import NOON, Died
from tests.fakes.world import World
from tests.unit.domain.examples import leased


def queued(world: World, count: int = 1, **plan) -> list[InboundRecord]:
    for _ in range(count):
        world.accept(Channel.SLACK, **plan)
    world.dispatch()
    return world.queued()


def reports(world: World) -> list:
    return [read_ack(each.value) for each in world.bus.records(ACKS_TOPIC)]


def test_a_batch_is_leased_sent_and_told_of(world: World) -> None:
    done = world.deliver(queued(world, 3))
    assert (done.leased, done.dropped, done.unreadable, done.kept) == (3, 0, 0, 0)
    assert len(world.sender.ledger) == 3
    assert reports(world) == list(done.reports)
    assert {(each.outcome, each.decision) for each in reports(world)} == {
        (Accepted(f"message-{number}"), Done()) for number in (1, 2, 3)
    }


def test_acks_are_keyed_by_delivery(world: World) -> None:
    (record,) = queued(world)
    world.deliver([record])
    (delivery,) = world.store.tables.deliveries
    assert [each.key for each in world.bus.records(ACKS_TOPIC)] == [delivery.bytes]


def test_the_lease_is_committed_before_anything_is_sent(world: World) -> None:
    seen: list[Status] = []

    def look(leased) -> Accepted:
        seen.append(world.status(leased.fence.delivery_id))
        return Accepted()

    world.sender.otherwise = look
    world.deliver(queued(world))
    assert seen == [Status.SENDING]


@pytest.mark.parametrize(
    ("outcome", "mode", "decision"),
    [
        (Transient("503"), DeliveryMode.AT_LEAST_ONCE, Retry),
        (Throttled("429", 7), DeliveryMode.AT_LEAST_ONCE, Park),
        (NotTried("no time"), DeliveryMode.AT_LEAST_ONCE, Park),
        (Rejected(RejectionKind.CONFIG, "revoked"), DeliveryMode.AT_LEAST_ONCE, Hold),
        (Rejected(RejectionKind.RECIPIENT, "gone"), DeliveryMode.AT_LEAST_ONCE, GiveUp),
        (Unknown("silence"), DeliveryMode.AT_LEAST_ONCE, Retry),
        (Unknown("silence"), DeliveryMode.AT_MOST_ONCE, LeaveUnknown),
    ],
)
def test_the_decision_is_taken_once_and_travels_with_the_outcome(world: World, outcome, mode, decision) -> None:
    records = queued(world, mode=mode)
    world.sender.answers = [outcome]
    world.deliver(records)
    (report,) = reports(world)
    assert report.outcome == outcome
    assert isinstance(report.decision, decision)
    assert report.credential_version == 1
    assert len(world.bus.records(DLQ_TOPIC)) == (1 if decision in (GiveUp, LeaveUnknown) else 0)


# Handed over again


def test_a_batch_that_comes_twice_is_one_call_each(world: World) -> None:
    records = queued(world, 3)
    world.deliver(records)
    again = world.deliver(records)
    assert (again.leased, again.dropped) == (0, 3)
    assert len(world.sender.ledger) == 3


def test_a_record_twice_in_one_batch_is_one_call(world: World) -> None:
    (record,) = queued(world)
    assert world.deliver([record, record, record]).leased == 1
    assert len(world.sender.ledger) == 1


def test_cancelled_and_moved_work_falls_away(world: World) -> None:
    records = queued(world, 2)
    cancelled, moved = world.store.tables.deliveries
    assert world.cancel(cancelled)
    world.row(moved).due_at += timedelta(seconds=60)
    assert world.deliver(records).dropped == 2
    assert world.sender.ledger == []


# Crash points


def test_a_consumer_that_dies_after_its_lease_called_nobody_and_the_reconciler_takes_over(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.faults.add("lease", Died(), after=True)
    with pytest.raises(Died):
        world.deliver(records)
    world.deliver(records)
    assert world.calls(delivery) == []
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([2], Status.SENT)


def test_a_consumer_that_dies_after_the_providers_200_is_the_one_window_for_a_second_message(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.faults.add("send", Died(), after=True)
    with pytest.raises(Died):
        world.deliver(records)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([1, 2], Status.SENT)


def test_at_most_once_closes_that_window_and_says_so(world: World) -> None:
    records = queued(world, mode=DeliveryMode.AT_MOST_ONCE)
    (delivery,) = world.store.tables.deliveries
    world.faults.add("send", Died(), after=True)
    with pytest.raises(Died):
        world.deliver(records)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.UNKNOWN)


def test_a_consumer_that_dies_after_its_ack_sends_nothing_twice(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.faults.add("publish", Died(), after=True)
    with pytest.raises(Died):
        world.deliver(records)
    world.deliver(records)
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


# The invoke


def test_an_invoke_that_was_refused_spends_nothing(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.sender.refusal = InvokeRefusedError("throttled")
    world.deliver(records)
    world.acknowledge()
    row = world.row(delivery)
    assert (row.status, row.spent, row.attempt_no) == (Status.RETRYING, 0, 2)
    world.sender.refusal = None
    world.settle(1)
    assert (world.calls(delivery), row.status) == ([2], Status.SENT)


def test_an_invoke_that_never_answered_is_unknown(world: World) -> None:
    world.sender.silence = InvokeUncertainError("read timed out")
    world.deliver(queued(world, 2))
    assert {type(each.outcome) for each in reports(world)} == {Unknown}


def test_at_most_once_ends_as_unknown_where_the_invoke_never_answered(world: World) -> None:
    records = queued(world, mode=DeliveryMode.AT_MOST_ONCE)
    world.sender.silence = InvokeUncertainError("read timed out")
    world.deliver(records)
    world.sender.silence = None
    world.settle(10)
    (delivery,) = world.store.tables.deliveries
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.UNKNOWN)


def test_an_answer_for_another_number_of_deliveries_is_unknown(world: World) -> None:
    records = queued(world, 2)
    world.sender.send = lambda *_: [Accepted("whose?")]  # type: ignore[method-assign]
    world.deliver(records)
    assert {type(each.outcome) for each in reports(world)} == {Unknown}


def test_one_group_nobody_foresaw_does_not_silence_the_others(world: World) -> None:
    world.accept(Channel.SLACK)
    world.accept(Channel.EMAIL)
    world.dispatch()
    send = world.sender.send

    def sometimes(provider, batch, deadline):
        if provider is Provider.SLACK:
            raise RuntimeError("a bug")
        return send(provider, batch, deadline)

    world.sender.send = sometimes  # type: ignore[method-assign]
    world.deliver(world.queued())
    assert {type(each.outcome) for each in reports(world)} == {Accepted, Unknown}


def test_no_invoke_is_begun_that_could_outlive_the_consumer(world: World) -> None:
    world.deliver(queued(world), seconds=INVOKE_READ_TIMEOUT - 1)
    assert world.sender.ledger == []
    assert [type(each.outcome) for each in reports(world)] == [NotTried]


def test_the_sender_is_told_how_long_it_has(world: World) -> None:
    world.deliver(queued(world))
    assert world.sender.deadlines == [world.clock() + timedelta(seconds=SENDER_TIMEOUT)]


# Kafka


def test_reports_that_kafka_refuses_are_kept_and_told_by_the_reconciler(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.bus.refuses = lambda record: record.topic == ACKS_TOPIC
    assert world.deliver(records).kept == 1
    assert world.row(delivery).attempts[1].report is not None
    world.bus.refuses = lambda _: False
    world.clock.advance(1)
    world.sweep()
    world.acknowledge()
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_only_what_kafka_refused_is_kept(world: World) -> None:
    records = queued(world, 2)
    refused, _ = world.store.tables.deliveries
    world.bus.refuses = lambda record: record.key == refused.bytes
    assert world.deliver(records).kept == 1
    assert [each.delivery_id for each in reports(world)] == [each for each in world.store.tables.deliveries][1:]


def test_a_bus_that_is_down_keeps_every_report(world: World) -> None:
    records = queued(world, 2)
    with world.faults.down(BusUnavailableError("down"), "publish"):
        assert world.deliver(records).kept == 2


def test_reports_that_nobody_takes_are_not_raised(world: World) -> None:
    records = queued(world)
    (delivery,) = world.store.tables.deliveries
    world.bus.refuses = lambda record: record.topic == ACKS_TOPIC
    with world.faults.down(StoreUnavailableError("down"), "keep_reports"):
        assert world.deliver(records).kept == 0
    world.bus.refuses = lambda _: False
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.settle(1)
    assert world.calls(delivery) == [1, 2]  # neither Kafka nor PostgreSQL heard of the first


# Raising


def test_a_store_that_is_down_is_raised_before_anything_was_leased(world: World) -> None:
    records = queued(world)
    with world.faults.down(StoreUnavailableError("down"), "lease"), pytest.raises(StoreUnavailableError):
        world.deliver(records)
    assert world.sender.ledger == []
    world.deliver(records)
    assert len(world.sender.ledger) == 1


def test_unreadable_records_go_to_the_dead_letters_and_their_neighbours_are_delivered(world: World) -> None:
    good = queued(world, 2)
    bad = [
        replace(good[0], offset=90 + number, value=value)
        for number, value in enumerate([b"\xff", b"{}", b'{"v": 2}', b"[]", b'{"v": 1, "delivery_id": 7}'])
    ]
    done = world.deliver([bad[0], good[0], *bad[1:], good[1]])
    assert (done.leased, done.unreadable) == (2, 5)
    letters = [read(each) for each in world.bus.records(DLQ_TOPIC)]
    assert [(each.kind, each.raw) for each in letters] == [(Kind.RECORD, each.value) for each in bad]
    assert [each.source for each in letters] == [f"{each.topic}/{each.partition}/{each.offset}" for each in bad]


@pytest.mark.parametrize("how", ["refused", "down"])
def test_an_unreadable_record_that_cannot_be_put_away_is_raised_before_anything_was_leased(
    world: World, how: str
) -> None:
    records = queued(world)
    bad = replace(records[0], offset=99, value=b"?")
    if how == "refused":
        world.bus.refuses = lambda record: record.topic == DLQ_TOPIC
    else:
        world.faults.add("publish", BusUnavailableError("down"))
    with pytest.raises(BusUnavailableError):
        world.deliver([bad, *records])
    assert world.status(next(iter(world.store.tables.deliveries))) is Status.QUEUED


def test_a_batch_of_nothing_readable_asks_the_store_nothing(world: World) -> None:
    (record,) = queued(world)
    with world.faults.down(StoreUnavailableError("down"), "lease"):
        assert world.deliver([replace(record, value=b"?")]).unreadable == 1


# Groups


def test_groups_hold_one_provider_each(world: World) -> None:
    for _ in range(3):
        world.accept(Channel.SLACK, Channel.EMAIL)
    world.dispatch()
    world.deliver(world.queued())
    assert sorted(sorted({each.provider for each in batch}) for batch in world.sender.batches) == [
        [Provider.BREVO],
        [Provider.SLACK],
    ]


def test_a_batch_is_cut_by_number(world: World) -> None:
    world.deliver(queued(world, GROUP_SIZE + 1))
    assert sorted(map(len, world.sender.batches)) == [1, GROUP_SIZE]


@pytest.mark.parametrize(
    ("weights", "sizes"),
    [
        ([], []),
        ([GROUP_BYTES], [1]),
        ([GROUP_BYTES, 1], [1, 1]),
        ([GROUP_BYTES // 2] * 4, [2, 2]),
        ([1, GROUP_BYTES + 1, 1], [1, 1, 1]),  # one that is too large by itself still goes, alone
    ],
)
def test_groups_are_cut_by_weight(world: World, weights: list[int], sizes: list[int]) -> None:
    left = list(weights)
    world.sender.weight = lambda _: left.pop(0)
    (record,) = queued(world)
    (one,) = world.consumer().store.lease([_read(record)], 300)
    assert [len(each) for each in cut([one] * len(weights), world.sender)] == sizes


def _read(record: InboundRecord):
    from nofy.domain.records import read_queue

    return read_queue(record.value)


def test_the_latest_begin_leaves_time_to_hear_the_answer() -> None:
    assert CONSUMER_TIMEOUT > INVOKE_READ_TIMEOUT > SENDER_TIMEOUT


# Figures


def test_lateness_is_told_of_each_delivery_from_its_due_time_to_its_lease(world: World) -> None:
    world.accept(Channel.SLACK, due_in=0)
    world.accept(Channel.SLACK, due_in=2)
    world.dispatch(3)
    world.clock.advance(10)
    done = world.deliver(world.queued())
    soonest, latest = min(done.lateness_ms), max(done.lateness_ms)
    assert len(done.lateness_ms) == 2
    assert latest - soonest == 2_000
    assert 10_000 <= soonest < 12_000


def test_a_due_time_of_a_clock_that_is_ahead_is_not_early(world: World) -> None:
    records = queued(world)
    world.clock.advance(-5)
    assert world.deliver(records).lateness_ms == (0,)


def test_attempts_are_told_by_channel_and_all_but_acceptances_have_failed(world: World) -> None:
    for channel in (Channel.SLACK, Channel.SLACK, Channel.SLACK, Channel.SLACK, Channel.EMAIL):
        world.accept(channel)
    world.dispatch()
    bad = iter([Throttled("429", 1), Unknown("silence"), NotTried("no time")])
    world.sender.otherwise = lambda leased: next(bad, Accepted()) if leased.channel is Channel.SLACK else Accepted()
    done = world.deliver(world.queued())
    assert {each.channel: (each.attempts_all, each.attempts_failed) for each in done.attempts} == {
        Channel.SLACK: (4, 3),
        Channel.EMAIL: (1, 0),
    }


def test_the_failures_that_a_test_token_asks_for_are_no_failures_of_ours(world: World) -> None:
    test, _ = world.accepted(), world.accepted()
    world.row(test).live = False
    world.dispatch()
    world.sender.otherwise = lambda leased: Accepted() if leased.live else Transient("simulated")
    (figures,) = world.deliver(world.queued()).attempts
    assert (figures.attempts_all, figures.attempts_failed) == (1, 0)


def test_a_credential_that_is_refused_in_a_test_holds_no_integration(world: World) -> None:
    test, live = world.accepted(), world.accepted()
    world.row(test).live = False
    world.dispatch()
    refused = Rejected(RejectionKind.CONFIG, "simulated")
    world.sender.otherwise = lambda leased: Accepted() if leased.live else refused
    world.deliver(world.queued())
    decisions = {each.delivery_id: each.decision for each in reports(world)}
    assert decisions == {test: GiveUp("rejected_config: simulated"), live: Done()}


def test_projects_take_turns_in_a_batch(world: World) -> None:
    """A quiet project's delivery that came last of a batch is called for among the first of them."""
    busy = [leased(fence=Fence(UUID(int=each), 1, NOON)) for each in range(GROUP_SIZE + 20)]
    quiet = [leased(fence=Fence(UUID(int=9_000 + each), 1, NOON), project_id=UUID(int=7)) for each in range(2)]
    first, _ = groups([*busy, *quiet], world.sender)
    assert [each.fence for each in first[:5]] == [
        each.fence for each in (busy[0], quiet[0], busy[1], quiet[1], busy[2])
    ]


def test_one_projects_deliveries_keep_their_order(world: World) -> None:
    alone = [leased(fence=Fence(UUID(int=each), 1, NOON)) for each in range(5)]
    assert list(groups(alone, world.sender)) == [alone]


class Watched:
    """The store's leases, and whether their connection is there."""

    def __init__(self, leases: Any) -> None:
        self._leases = leases
        self.let_go, self.ready = threading.Event(), 0

    def hang_up(self) -> None:
        self.let_go.set()

    def stand_by(self) -> None:
        self.ready += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._leases, name)


def test_a_provider_that_answers_at_once_costs_no_connection(world: World) -> None:
    records, consumer = queued(world), world.consumer()
    store = Watched(consumer.store)
    replace(consumer, store=store).deliver(records, world.clock() + timedelta(seconds=CONSUMER_TIMEOUT))
    assert (store.let_go.is_set(), store.ready) == (False, 1)


def test_a_provider_that_keeps_everybody_waiting_is_waited_for_without_a_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "PATIENCE", 0.01)
    records, consumer = queued(world), world.consumer()
    store = Watched(consumer.store)

    def slow(_: Any) -> Accepted:
        assert store.let_go.wait(5), "a connection was held over a slow provider's call"
        return Accepted()

    world.sender.otherwise = slow
    done = replace(consumer, store=store).deliver(records, world.clock() + timedelta(seconds=CONSUMER_TIMEOUT))
    assert [each.outcome for each in done.reports] == [Accepted()]
    assert store.ready == 1


@pytest.mark.parametrize("error", [StoreUnavailableError("down"), NofyError("refused")])
def test_who_cannot_stand_by_has_delivered_all_the_same(world: World, error: NofyError) -> None:
    records, consumer = queued(world), world.consumer()
    world.faults.add("stand_by", error)
    done = consumer.deliver(records, world.clock() + timedelta(seconds=CONSUMER_TIMEOUT))
    assert (done.leased, len(world.sender.ledger)) == (1, 1)
