"""Dispatch: from the index to Kafka, each id once, or again under the same fence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.errors import BusUnavailableError, ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.ids import Prefix, encode
from nofy.domain.lifecycle import Status
from nofy.domain.records import read_queue
from nofy.domain.routing import Channel, Lane, MessageClass, Priority
from nofy.domain.timing import CLAIM_LEASE, INDEX_WINDOW
from nofy.pipeline.credit import FLOOR
from nofy.pipeline.lag import Lagging
from tests.fakes import Died
from tests.fakes.world import HedgedCredit, World

SLACK = Lane(Channel.SLACK, Priority.NORMAL)


def test_what_is_due_is_queued_under_its_fence_and_leaves_the_index(world: World) -> None:
    delivery = world.accepted()
    row = world.row(delivery)
    done = world.dispatch()
    (record,) = world.bus.records(SLACK.topic)
    assert read_queue(record.value).fence == row.fence
    assert (row.status, row.queued_at, done.queued) == (Status.QUEUED, (record.partition, record.offset), 1)
    assert not world.schedule.knows(delivery)


def test_records_of_one_recipient_share_a_key_that_does_not_tell_the_address(world: World) -> None:
    for _ in range(2):
        world.accept(Channel.SLACK, Channel.EMAIL)
    world.dispatch()
    slack, email = (world.bus.records(each) for each in (SLACK.topic, Lane(Channel.EMAIL, Priority.NORMAL).topic))
    assert [len({each.key for each in records}) for records in (slack, email)] == [1, 1]
    assert slack[0].key != email[0].key
    assert {len(each.key) for each in (*slack, *email)} == {4}  # sixteen bits, in hexadecimal


def test_what_is_not_due_yet_waits_and_goes_out_on_time(world: World) -> None:
    delivery = world.accepted(due_in=2.5)
    world.dispatch(2.4)
    assert world.status(delivery) is Status.SCHEDULED
    world.dispatch(0.2)
    assert world.status(delivery) is Status.QUEUED
    (record,) = world.bus.records(SLACK.topic)
    assert timedelta(0) <= read_queue(record.value).dispatched_at - world.row(delivery).due_at <= timedelta(seconds=0.1)


def test_an_idle_run_ends_at_its_end(world: World) -> None:
    before = world.clock()
    done = world.dispatch(10)
    assert (done.turns, done.failures) == (10, 0)
    assert world.clock() - before == timedelta(seconds=10)


def test_a_run_ends_when_a_newer_one_has_registered(world: World) -> None:
    world.schedule.register = lambda _: None  # type: ignore[method-assign]
    world.schedule._run = "newer"
    delivery = world.accepted()
    assert world.dispatch(60).turns == 1
    assert world.status(delivery) is Status.QUEUED  # what it had claimed is not left behind


# Crash points


def test_a_dispatcher_that_dies_after_its_claim_leaves_it_to_the_next(world: World) -> None:
    delivery = world.accepted()
    world.faults.add("claim", Died(), after=True)
    with pytest.raises(Died):
        world.dispatch()
    assert world.dispatch(1).queued == 0
    assert world.dispatch(CLAIM_LEASE + 1).queued == 1
    world.consume()
    assert world.calls(delivery) == [1]


@pytest.mark.parametrize("after", [False, True])
def test_a_dispatcher_that_dies_between_produce_and_mark_makes_two_records_and_one_call(
    world: World, after: bool
) -> None:
    delivery = world.accepted()
    world.faults.add("mark_queued", Died(), after=after)
    with pytest.raises(Died):
        world.dispatch()
    world.dispatch(CLAIM_LEASE + 1)
    assert len(world.bus.records(SLACK.topic)) == (1 if after else 2)
    world.consume()
    world.acknowledge()
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_a_consumer_that_is_quicker_than_the_mark_is_not_overwritten(world: World) -> None:
    delivery = world.accepted()
    world.faults.add("mark_queued", Died())
    with pytest.raises(Died):
        world.dispatch()
    world.consume()
    world.dispatch(CLAIM_LEASE + 1)
    assert world.status(delivery) is Status.SENDING
    assert len(world.bus.records(SLACK.topic)) == 1


def test_a_dispatcher_that_dies_before_its_release_is_harmless(world: World) -> None:
    delivery = world.accepted()
    world.faults.add("release", Died())
    with pytest.raises(Died):
        world.dispatch()
    world.settle(2)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)
    assert not world.schedule.knows(delivery)


def test_two_dispatchers_at_once_take_each_id_once(world: World) -> None:
    for _ in range(20):
        world.accepted()
    first, second = world.dispatcher(), world.dispatcher()
    ends = world.clock() + timedelta(seconds=2)
    first.run("one", ends)
    second.run("two", ends)
    assert len(world.bus.records(SLACK.topic)) == 20


# What the row says by now


def test_cancelled_work_is_forgotten(world: World) -> None:
    delivery = world.accepted()
    assert world.cancel(delivery)
    done = world.dispatch()
    assert (done.forgotten, world.bus.records(SLACK.topic)) == (1, [])
    assert not world.schedule.knows(delivery)


def test_moved_work_is_put_back_for_its_new_time(world: World) -> None:
    delivery = world.accepted()
    assert world.move(delivery, world.clock() + timedelta(seconds=5))
    assert world.dispatch(1).put_back == 1
    assert world.dispatch(5).queued == 1


def test_work_moved_beyond_the_window_leaves_the_index_until_it_comes_near(world: World) -> None:
    delivery = world.accepted()
    assert world.move(delivery, world.clock() + timedelta(seconds=INDEX_WINDOW + 60))
    world.dispatch(1)
    assert not world.schedule.knows(delivery)
    world.clock.advance(120)
    world.sweep()
    assert world.schedule.knows(delivery)


def test_expired_work_ends(world: World) -> None:
    delivery = world.accepted(expires_in=5)
    world.clock.advance(5)
    assert world.dispatch().expired == 1
    assert (world.status(delivery), world.bus.records(SLACK.topic)) == (Status.EXPIRED, [])


def test_work_of_a_held_integration_is_held(world: World) -> None:
    world.store.tables.integrations[world.project.integration()].held_version = 1
    delivery = world.accepted()
    assert world.dispatch().held == 1
    assert (world.status(delivery), world.bus.records(SLACK.topic)) == (Status.HELD, [])


def test_what_nobody_wants_any_more_is_not_held(world: World) -> None:
    world.store.tables.integrations[world.project.integration()].held_version = 1
    delivery = world.accepted(expires_in=5)
    world.clock.advance(5)
    world.dispatch()
    assert world.status(delivery) is Status.EXPIRED


# Faults


def test_kafka_taking_part_of_a_batch_puts_back_only_what_it_refused(world: World) -> None:
    refused, taken = world.accepted(), world.accepted()
    world.bus.refuses = lambda record: str(refused).encode() in record.value
    done = world.dispatch(0.5)
    assert (world.status(taken), world.status(refused)) == (Status.QUEUED, Status.SCHEDULED)
    assert (done.queued, done.put_back, done.failures) == (1, 1, 1)
    world.bus.refuses = lambda _: False
    world.dispatch(0.5)
    assert world.status(refused) is Status.QUEUED
    assert len(world.bus.records(SLACK.topic)) == 2


def test_a_refused_record_that_arrives_after_all_is_one_call(world: World) -> None:
    delivery = world.accepted()
    world.bus.refuses, world.bus.late_arrivals = lambda _: True, True
    world.dispatch(0.5)
    world.bus.refuses = lambda _: False
    world.dispatch(0.5)
    world.bus.arrive_late()
    assert len(world.bus.records(SLACK.topic)) == 2
    world.consume()
    assert world.calls(delivery) == [1]


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("register", ScheduleUnavailableError("down")),
        ("claim", ScheduleUnavailableError("down")),
        ("waiting", StoreUnavailableError("down")),
        ("publish", BusUnavailableError("down")),
        ("mark_queued", StoreUnavailableError("down")),
        ("release", ScheduleUnavailableError("down")),
        ("sleep", ScheduleUnavailableError("down")),
    ],
)
def test_a_run_outlives_an_error_and_catches_up(world: World, method: str, error: Exception) -> None:
    delivery = world.accepted()
    world.faults.add(method, error)
    done = world.dispatch(CLAIM_LEASE + 5)
    assert (done.failures, world.status(delivery)) == (1, Status.QUEUED)
    world.consume()
    assert world.calls(delivery) == [1]


def test_failures_do_not_spin(world: World) -> None:
    world.accepted()
    with world.faults.down(ScheduleUnavailableError("down"), "register"):
        assert world.dispatch(10).failures == 10


def test_an_index_that_lost_everything_is_rebuilt(world: World) -> None:
    now, later = world.accepted(), world.accepted(due_in=100)
    world.sweep()
    world.schedule.wipe()
    assert world.dispatch(1).queued == 0
    world.sweep()
    world.dispatch(1)
    assert world.status(now) is Status.QUEUED
    assert world.schedule.knows(later)


# Lanes


def test_high_goes_before_low(world: World) -> None:
    world.accepted(message_class=MessageClass.BULK)
    world.accepted(message_class=MessageClass.CRITICAL)
    produced: list[str] = []
    world.bus.refuses = lambda record: bool(produced.append(record.topic))
    world.dispatch()
    assert produced == [Lane(Channel.SLACK, each).topic for each in (Priority.HIGH, Priority.LOW)]


def test_the_urgent_are_in_kafka_before_the_others_are_produced(world: World) -> None:
    for message_class in (MessageClass.BULK, MessageClass.CRITICAL, MessageClass.BULK):
        world.accepted(message_class=message_class)
    batches: list[list[str]] = []
    publish = world.bus.publish
    world.bus.publish = lambda records: batches.append([each.topic for each in records]) or publish(records)  # type: ignore[method-assign, func-returns-value]
    world.dispatch()
    high, low = (Lane(Channel.SLACK, each).topic for each in (Priority.HIGH, Priority.LOW))
    assert batches == [[high], [low, low]]


def test_after_kafka_refused_the_urgent_nobody_else_waits_for_its_time_out(world: World) -> None:
    world.accepted(message_class=MessageClass.CRITICAL)
    low = world.accepted(message_class=MessageClass.BULK)
    tried: list[str] = []
    world.bus.refuses = lambda record: bool(tried.append(record.topic)) or True
    done = world.dispatch(0.5)
    assert tried == [Lane(Channel.SLACK, Priority.HIGH).topic]
    assert (done.queued, done.put_back) == (0, 2)
    world.bus.refuses = lambda _: False
    world.dispatch(0.5)
    assert world.status(low) is Status.QUEUED


def test_a_lane_without_credit_waits_in_the_index_and_is_never_starved(world: World) -> None:
    deliveries = [world.accepted() for _ in range(3 * FLOOR)]
    run = world.dispatcher()
    run.credit._accounts[SLACK].most = 1
    run.run("run", world.clock() + timedelta(seconds=1))
    assert len(world.bus.records(SLACK.topic)) == pytest.approx(1 + FLOOR, abs=1)
    run.run("run", world.clock() + timedelta(seconds=1))
    assert len(world.bus.records(SLACK.topic)) == pytest.approx(1 + 2 * FLOOR, abs=2)
    assert len(world.schedule.due[SLACK]) == len(deliveries) - len(world.bus.records(SLACK.topic))


def test_a_lane_goes_on_soon_after_its_consumers_have_read(world: World) -> None:
    for _ in range(5):
        world.accepted()
    run = world.dispatcher()
    run.credit._accounts[SLACK].most = 2
    run.run("run", world.clock() + timedelta(seconds=0.05))
    assert len(world.bus.records(SLACK.topic)) == 2
    world.consume()
    run.run("run", world.clock() + timedelta(seconds=0.15))
    assert len(world.bus.records(SLACK.topic)) in (4, 5)  # (the fifth is its floor)


# Projects


@pytest.fixture
def hedging() -> World:
    world = World(partitions=2)
    world.credit = HedgedCredit
    return world


def test_of_two_records_of_a_delivery_one_is_sent_and_the_other_dropped(hedging: World) -> None:
    delivery = hedging.accepted()
    assert hedging.dispatch().queued == 1
    one, other = hedging.bus.records(SLACK.topic)
    assert (one.partition, other.partition) == (0, 1)
    assert read_queue(one.value) == read_queue(other.value)
    delivered = [hedging.deliver([each]) for each in (other, one)]
    assert [(each.leased, each.dropped) for each in delivered] == [(1, 0), (0, 1)]
    hedging.acknowledge()
    assert hedging.status(delivery) is Status.SENT


def test_both_records_of_a_delivery_count_against_the_lanes_credit(hedging: World) -> None:
    hedging.accepted()
    credit = HedgedCredit(hedging.offsets, hedging.clock, {SLACK.name: 10})
    replace(hedging.dispatcher(), credit=credit).run("run", hedging.clock() + timedelta(seconds=0.5))
    assert credit.limits()[SLACK] == 8


@pytest.mark.parametrize("refused", [0, 1])
def test_a_delivery_of_which_kafka_took_one_record_is_queued_where_that_lies(hedging: World, refused: int) -> None:
    delivery = hedging.accepted()
    hedging.bus.refuses = lambda record: record.partition == refused
    done = hedging.dispatch(0.01)
    assert (done.queued, done.put_back, hedging.status(delivery)) == (1, 0, Status.QUEUED)
    assert hedging.row(delivery).queued_at == (1 - refused, 0)


def test_a_delivery_of_which_kafka_took_no_record_is_put_back_once(hedging: World) -> None:
    delivery = hedging.accepted()
    hedging.bus.refuses = lambda _: True
    done = hedging.dispatch(0.01)
    assert (done.queued, done.put_back, hedging.status(delivery)) == (0, 1, Status.SCHEDULED)


def test_one_projects_records_are_in_kafka_in_the_order_of_its_turns(world: World) -> None:
    first = [world.accepted(due_in=each) for each in (3, 1, 2)]
    world.clock.advance(5)
    world.store.waiting = lambda ids, waiting=world.store.waiting: waiting(sorted(ids))  # type: ignore[method-assign]
    world.dispatch()
    order = [read_queue(each.value).fence.delivery_id for each in world.bus.records(SLACK.topic)]
    assert order == [first[1], first[2], first[0]]


def test_a_projects_weight_is_learnt_with_what_is_dispatched_and_counts_from_the_next_turn(world: World) -> None:
    project_id = world.project.principal.project_id
    run = world.dispatcher()
    for weight, known in ((3, {project_id: 3}), (1, {})):
        world.store.tables.projects[project_id].weight = weight
        world.accepted()
        run.run("run", world.clock() + timedelta(seconds=0.1))
        assert run.weights.known == known


def test_lags_are_told_each_minute_and_at_the_end_of_a_run(world: World) -> None:
    told: list[Lagging] = []
    run = replace(world.dispatcher(), tell=told.append)
    world.accepted()
    world.clock.advance(5)
    world.accepted(due_in=90)
    run.run("run", world.clock() + timedelta(seconds=100))
    assert [[(each.lane, each.lane_lag_ms) for each in lagging.lanes] for lagging in told] == [
        [(SLACK.name, 5_000)],
        [(SLACK.name, 0)],
    ]
    project = encode(Prefix.PROJECT, world.project.principal.project_id)
    assert [[each.project for each in lagging.projects] for lagging in told] == [[project], []]
