"""Reconcile: what a crash left behind is found by looking at the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nofy.domain.errors import BusUnavailableError, ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Unknown
from nofy.domain.records import read_ack
from nofy.domain.retry import DeliveryMode, LeaveUnknown, Retry
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC, LANES, Channel, Lane, Priority
from nofy.domain.timing import ATTEMPT_LEASE, IN_HAND_TOO_LONG, INDEX_WINDOW, OVERDUE, QUEUED_TOO_LONG, ROW_RETENTION
from nofy.pipeline import reconcile
from tests.fakes import Died
from tests.fakes.world import World

SLACK = Lane(Channel.SLACK, Priority.NORMAL)


def unindexed(world: World, **plan):
    with world.faults.down(ScheduleUnavailableError("down"), "add"):
        return world.accepted(**plan)


def leased(world: World, **plan):
    """A delivery whose consumer died with the lease in its hand."""
    delivery = world.accepted(**plan)
    world.dispatch()
    world.faults.add("lease", Died(), after=True)
    with pytest.raises(Died):
        world.consume()
    return delivery


# The index


def test_the_first_sweep_indexes_the_whole_window(world: World) -> None:
    overdue, soon = unindexed(world, born_ago=500), unindexed(world, due_in=INDEX_WINDOW)
    far = unindexed(world, due_in=INDEX_WINDOW + 1)
    assert world.sweep().indexed == 2
    assert [world.schedule.knows(each) for each in (overdue, soon, far)] == [True, True, False]


def test_each_sweep_adds_what_enters_the_window(world: World) -> None:
    delivery = unindexed(world, due_in=INDEX_WINDOW + 30)
    world.sweep()
    world.clock.advance(180)
    assert world.sweep().indexed == 1
    assert world.schedule.knows(delivery)
    assert world.sweep().indexed == 0


def test_what_was_just_accepted_inside_the_window_is_looked_at_again(world: World) -> None:
    world.sweep()
    delivery = unindexed(world, due_in=100)
    world.clock.advance(60)
    world.sweep()
    assert world.schedule.knows(delivery)


def test_whatever_is_a_minute_overdue_is_indexed_whatever_else_is_known(world: World) -> None:
    delivery = world.accepted(due_in=60)
    world.sweep()
    world.schedule.due.clear()  # a failover that lost the last writes and kept the epoch
    world.clock.advance(60 + OVERDUE - 1)
    world.store.tables.progress and world.sweep()
    world.clock.advance(2)
    world.sweep()
    assert world.schedule.knows(delivery)


def test_a_new_epoch_is_indexed_from_the_beginning(world: World) -> None:
    deliveries = [world.accepted(due_in=seconds) for seconds in (30, 300, 800)]
    world.clock.advance(150)
    world.sweep()
    world.schedule.wipe()
    assert world.sweep().indexed == len(deliveries)
    assert all(world.schedule.knows(each) for each in deliveries)


def test_pages_lose_nothing_at_their_edges(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 3)
    deliveries = [unindexed(world, due_in=number // 4) for number in range(17)]
    world.sweep()
    assert all(world.schedule.knows(each) for each in deliveries)


def test_an_index_that_failed_half_way_is_done_again(world: World) -> None:
    delivery = unindexed(world)
    world.faults.add("add", ScheduleUnavailableError("down"))
    assert world.sweep().failed_steps == ["index"]
    assert world.store.index_progress() is None
    world.sweep()
    assert world.schedule.knows(delivery)


# Leases


def test_a_lease_that_runs_is_left_alone(world: World) -> None:
    leased(world)
    world.clock.advance(ATTEMPT_LEASE - 1)
    assert world.sweep().leases_expired == 0


def test_a_lease_that_ran_out_is_told_as_unknown_and_decided_by_the_policy(world: World) -> None:
    delivery = leased(world)
    world.clock.advance(ATTEMPT_LEASE + 1)
    assert world.sweep().leases_expired == 1
    (report,) = [read_ack(each.value) for each in world.acks()]
    assert (report.delivery_id, report.attempt_no, report.credential_version) == (delivery, 1, 1)
    assert isinstance(report.outcome, Unknown)
    assert isinstance(report.decision, Retry)
    assert world.status(delivery) is Status.SENDING  # it decides nothing by itself


def test_at_most_once_is_left_as_unknown(world: World) -> None:
    leased(world, mode=DeliveryMode.AT_MOST_ONCE)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.sweep()
    assert [type(read_ack(each.value).decision) for each in world.acks()] == [LeaveUnknown]


def test_what_is_left_as_unknown_is_buried_even_if_kafka_never_took_its_letter(world: World) -> None:
    delivery = leased(world, mode=DeliveryMode.AT_MOST_ONCE)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.bus.refuses = lambda record: record.topic == DLQ_TOPIC
    world.sweep()
    world.acknowledge()
    assert (world.status(delivery), world.dead_letters()) == (Status.UNKNOWN, [])
    world.clock.advance(61)
    assert world.sweep().buried == 1
    assert world.dead_letters() == ["unknown: its consumer ended without a word"]


def test_queued_work_that_nothing_heals_is_lost(world: World) -> None:
    world.accepted()
    world.dispatch()
    world.clock.advance(IN_HAND_TOO_LONG - 2)
    assert world.sweep().lost == 0
    world.clock.advance(3)
    assert world.sweep().lost == 1


def test_an_acceptance_that_waits_in_kafka_wins_over_the_expired_lease(world: World) -> None:
    delivery = world.accepted()
    world.dispatch()
    world.consume()
    world.clock.advance(ATTEMPT_LEASE + 1)  # the acks handler was down all this time
    world.sweep()
    assert [type(read_ack(each.value).outcome) for each in world.acks()] == [Accepted, Unknown]
    world.acknowledge()
    world.settle(1)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_a_kept_report_is_told_as_it_was_decided(world: World) -> None:
    world.accepted()
    world.dispatch()
    world.bus.refuses = lambda record: record.topic == ACKS_TOPIC
    (done,) = world.consume()
    world.bus.refuses = lambda _: False
    world.clock.advance(0.1)
    world.sweep()
    assert [read_ack(each.value) for each in world.acks()] == list(done.reports)


def test_acks_that_kafka_still_refuses_are_told_by_the_next_sweep(world: World) -> None:
    leased(world)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.bus.refuses = lambda _: True
    assert world.sweep().leases_expired == 0
    world.bus.refuses = lambda _: False
    assert world.sweep().leases_expired == 1


def test_an_expired_delivery_is_given_up_with_a_dead_letter(world: World) -> None:
    delivery = leased(world, expires_in=ATTEMPT_LEASE)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.sweep()
    world.acknowledge()
    world.bury()
    assert (world.status(delivery), world.dead_letters()) == (Status.FAILED, ["expired"])


# Queued for long


def test_queued_work_whose_record_was_passed_over_is_dispatched_again(world: World) -> None:
    delivery = world.accepted()
    world.dispatch()
    world.bus.commit(SLACK.group, SLACK.topic, world.queued())  # read by nobody: the batch was lost
    world.clock.advance(QUEUED_TOO_LONG + 1)
    due_at = world.row(delivery).due_at
    assert world.sweep().requeued == 1
    assert (world.row(delivery).due_at, world.row(delivery).attempt_no) == (due_at, 1)
    world.settle(1)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_queued_work_that_nobody_has_read_yet_waits_for_its_consumer(world: World) -> None:
    world.accepted()
    world.dispatch()
    world.clock.advance(10 * QUEUED_TOO_LONG)
    assert world.sweep().requeued == 0


def test_a_requeued_record_that_turns_up_again_is_one_call(world: World) -> None:
    delivery = world.accepted()
    world.dispatch()
    record = world.queued()
    world.bus.commit(SLACK.group, SLACK.topic, record)
    world.clock.advance(QUEUED_TOO_LONG + 1)
    world.sweep()
    world.deliver(record)
    world.settle(1)
    assert (world.calls(delivery), world.status(delivery)) == ([1], Status.SENT)


def test_offsets_that_cannot_be_known_requeue_nothing(world: World) -> None:
    world.accepted()
    world.dispatch()
    world.clock.advance(QUEUED_TOO_LONG + 1)
    world.offsets.down = True
    done = world.sweep()
    assert (done.requeued, done.failed_steps) == (0, ["stuck"])


# Held, unburied, lost


def test_held_deliveries_are_released_when_their_integration_is_mended(world: World) -> None:
    world.sender.answers = [Rejected(RejectionKind.CONFIG, "revoked")]
    delivery = world.accepted()
    world.dispatch()
    world.consume()
    world.acknowledge()
    assert world.sweep().released == 0
    world.store.mend(world.project.integration())
    assert world.sweep().released == 1
    assert (world.status(delivery), world.schedule.knows(delivery)) == (Status.SCHEDULED, True)


def test_as_many_pages_as_there_are_are_healed_in_one_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 2)
    world.store.tables.integrations[world.project.integration()].held_version = 1
    deliveries = [world.accepted() for _ in range(5)]
    world.dispatch()
    assert {world.status(each) for each in deliveries} == {Status.HELD}
    world.store.mend(world.project.integration())
    assert world.sweep().released == 5


def test_one_sweep_heals_so_many_pages_and_the_next_one_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 1)
    monkeypatch.setattr(reconcile, "MOST_PAGES", 2)
    world.store.tables.integrations[world.project.integration()].held_version = 1
    for _ in range(3):
        world.accepted()
    world.dispatch()
    world.store.mend(world.project.integration())
    assert [world.sweep().released for _ in range(3)] == [2, 1, 0]


def test_held_deliveries_that_nobody_wants_any_more_end(world: World) -> None:
    world.store.tables.integrations[world.project.integration()].held_version = 1
    delivery = world.accepted(expires_in=100)
    world.dispatch()
    world.clock.advance(101)
    assert world.sweep().expired == 1
    assert world.status(delivery) is Status.EXPIRED


def test_a_failed_delivery_whose_dead_letter_was_lost_gets_one(world: World) -> None:
    world.sender.answers = [Rejected(RejectionKind.RECIPIENT, "gone")]
    world.bus.refuses = lambda record: record.topic == DLQ_TOPIC
    world.accepted()
    world.dispatch()
    world.consume()
    world.acknowledge()
    assert world.sweep().buried == 0
    world.clock.advance(61)
    assert world.sweep().buried == 1
    assert world.dead_letters() == ["rejected_recipient: gone"]
    assert world.sweep().buried == 0


def test_what_is_lost_is_counted(world: World) -> None:
    delivery = world.accepted()
    assert world.sweep().lost == 0
    world.store.vanish(delivery)
    assert world.sweep().lost == 1


def test_overdue_work_that_nothing_works_on_is_lost(world: World) -> None:
    world.accepted()
    world.clock.advance(5 * OVERDUE + 1)
    assert world.sweep().lost == 1


# Steps


@pytest.mark.parametrize(
    ("method", "error", "step"),
    [
        ("ensure_partitions", StoreUnavailableError("down"), "partitions"),
        ("epoch", ScheduleUnavailableError("down"), "index"),
        ("expired_leases", StoreUnavailableError("down"), "expired_leases"),
        ("stuck_queued", StoreUnavailableError("down"), "stuck"),
        ("release_held", StoreUnavailableError("down"), "held"),
        ("unburied", StoreUnavailableError("down"), "unburied"),
        ("lost", StoreUnavailableError("down"), "count_lost"),
        ("backlog", StoreUnavailableError("down"), "look_at_what_waits"),
        ("count_accepted", StoreUnavailableError("down"), "counters"),
        ("fold_counts", StoreUnavailableError("down"), "counters"),
    ],
)
def test_a_step_that_fails_is_named_and_keeps_no_other_from_being_taken(
    world: World, method: str, error: Exception, step: str
) -> None:
    leased(world)
    fresh = unindexed(world)
    world.clock.advance(ATTEMPT_LEASE + 1)
    world.faults.add(method, error)
    done = world.sweep()
    assert done.failed_steps == [step]
    assert (done.leases_expired == 1) is (step != "expired_leases")
    assert world.schedule.knows(fresh) is (step != "index")


def test_a_bus_that_is_down_fails_the_leases_and_nothing_else(world: World) -> None:
    leased(world)
    world.clock.advance(ATTEMPT_LEASE + 1)
    with world.faults.down(BusUnavailableError("down"), "publish"):
        assert world.sweep().failed_steps == ["expired_leases"]


def test_what_could_not_be_counted_is_not_told_as_none(world: World) -> None:
    with world.faults.down(StoreUnavailableError("down"), "lost", "backlog"):
        done = world.sweep()
    assert (done.lost, done.oldest_queued_seconds, done.held_integrations) == (None, None, None)
    done = world.sweep()
    assert (done.lost, done.oldest_queued_seconds, done.held_integrations) == (0, 0, 0)


def test_a_sweep_tells_how_long_the_oldest_record_waits_in_kafka(world: World) -> None:
    world.accepted()
    world.dispatch()
    world.clock.advance(45)
    assert world.sweep().oldest_queued_seconds in (45, 46)


def test_what_ended_long_ago_goes_a_week_a_sweep_and_takes_its_dead_letters_with_it(world: World) -> None:
    world.sender.answers = [Rejected(RejectionKind.RECIPIENT, "gone")]
    weeks = []
    for _ in range(2):
        weeks.append(world.accepted())
        world.settle(1)
        world.clock.advance(7 * 86_400)
    waiting = world.accepted(due_in=120 * 86_400)
    world.clock.advance(ROW_RETENTION)
    assert len(world.dead_letters()) == 1
    assert [world.sweep().weeks_dropped for _ in range(3)] == [1, 1, 0]
    assert list(world.store.tables.deliveries) == [waiting]
    assert world.dead_letters() == []
    assert world.sweep().lost == 0


def test_content_goes_when_it_was_kept_for_long_enough(world: World) -> None:
    delivery = world.accepted()
    world.settle(1)
    assert world.status(delivery) is Status.SENT
    world.clock.advance(89 * 86_400)
    assert world.sweep().erased == 0
    world.clock.advance(86_400)
    assert [world.sweep().erased for _ in range(2)] == [1, 0]
    row = world.row(delivery)
    assert (row.status, row.planned.destination, row.planned.content) == (Status.SENT, "erased", {})


def test_a_quiet_sweep_does_nothing(world: World) -> None:
    world.sweep()
    done = world.sweep()
    assert (done.indexed, done.leases_expired, done.requeued, done.released, done.buried, done.lost) == (0,) * 6
    assert done.failed_steps == []
    assert all(world.bus.records(lane.topic) == [] for lane in LANES)


def test_a_sweep_every_minute_keeps_ahead_of_the_clock(world: World) -> None:
    deliveries = [unindexed(world, due_in=60.0 * minute) for minute in range(1, 40, 3)]
    world.settle(45)
    for each in deliveries:
        row = world.row(each)
        assert row.status is Status.SENT
        assert row.attempts[1].leased_at - row.due_at < timedelta(seconds=15)
