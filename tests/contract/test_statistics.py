"""What is counted and how the overview reads it: on the fake, which counts rows, and on PostgreSQL, which counts on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.lifecycle import LIVE, Status
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind, Throttled, Transient, Unknown
from nofy.domain.retry import DeliveryMode, Done, GiveUp, LeaveUnknown, Park, Retry
from nofy.domain.routing import Channel, Lane, Priority
from nofy.domain.statistics import Counts, Range, added, percentile, time_bucket
from nofy.domain.timing import MOST_REQUEUES
from nofy.domain.tokens import Mode
from nofy.ports.reading import DeadLetterFilter
from nofy.ports.statistics import IntegrationHealth, Present, StatisticsView
from tests.contract.stores import Backend, PostgresBackend
from tests.contract.stories import Told, accepted
from tests.contract.test_accounts import entry
from tests.fakes.projects import Project


def seen(store: Backend, project: Project, span: Range = Range.DAY) -> StatisticsView:
    """After a sweep."""
    store.upkeep.count_accepted()
    store.upkeep.fold_counts(1_000)
    return store.reading.statistics(project.principal, span)


def totals(store: Backend, project: Project, span: Range = Range.DAY) -> Counts:
    return sum((each.counts for each in seen(store, project, span).cells), Counts())


def times(view: StatisticsView) -> list[int]:
    return added(each.times for each in view.cells)


def sent(told: Told, **more: int) -> Told:
    assert told.settle(told.report(Accepted("message"), Done(), **more))
    return told


def failed(told: Told) -> Told:
    outcome = Rejected(RejectionKind.RECIPIENT, "gone")
    assert told.settle(told.report(outcome, GiveUp("rejected_recipient: gone"), attempt_no=told.state.attempt_no))
    return told


def redrive(told: Told) -> None:
    store, principal = told.store, told.project.principal
    store.burials.bury([DeadLetter(Kind.DELIVERY, "gone", told.id, told.state.attempt_no)])
    letters = store.reading.dead_letters(principal, DeadLetterFilter(), None, 100)
    letter = next(each for each in letters if each.delivery_id == told.id)
    assert store.amendments.redrive(principal, letter.dead_letter_id)


def test_a_project_without_notifications_has_figures_all_the_same(store: Backend) -> None:
    project = store.project()
    view = seen(store, project)
    assert (view.cells, view.lanes, view.dead_letters_open) == ((), (), 0)
    assert view.present == Present(0, 0, 0, 0, 0)
    assert [(each.channel, each.held) for each in view.integrations] == [
        ("email", False),
        ("slack", False),
        ("whatsapp", False),
    ]


@pytest.mark.parametrize("span", Range)
def test_the_last_bucket_is_the_one_that_is_under_way(store: Backend, span: Range) -> None:
    project = store.project()
    told, step = accepted(store, project), timedelta(seconds=span.step_seconds)
    before, view, after = store.now(), seen(store, project, span), store.now()
    latest = view.since + (span.buckets - 1) * step
    assert latest <= after
    assert before < latest + step
    (cell,) = view.cells
    assert (cell.channel, cell.counts) == ("slack", Counts(accepted=1))
    assert cell.at <= told.planned.created_at < cell.at + step


def test_an_end_that_is_reported_again_is_counted_once(store: Backend) -> None:
    project = store.project()
    for end in (sent, failed):
        told = end(accepted(store, project).lease())
        told.settle(told.report(Transient("503"), Retry(store.now())))
        told.settle(told.report(Rejected(RejectionKind.CONTENT, "late"), GiveUp("late")))
    assert totals(store, project) == Counts(accepted=2, sent=1, failed=1)


def test_a_failure_that_was_sent_after_all_is_corrected(store: Backend) -> None:
    project = store.project()
    unsure = accepted(store, project, mode=DeliveryMode.AT_MOST_ONCE).lease()
    assert unsure.settle(unsure.report(Unknown("silence"), LeaveUnknown("unknown: silence")))
    counts = totals(store, project)
    assert (counts, counts.success_rate) == (Counts(accepted=1, failed=1), 0.0)
    for _ in range(2):
        sent(unsure)
    counts = totals(store, project)
    assert (counts, counts.live) == (Counts(accepted=1, failed=1, sent=1, corrected=1), 0)
    assert counts.success_rate == 1.0


def test_a_retry_is_counted_and_patience_is_not(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Transient("503"), Retry(store.now())))
    told.lease()
    assert told.settle(told.report(Throttled("slow down"), Park(store.now()), attempt_no=2))
    told.lease()
    sent(told, attempt_no=3)
    assert totals(store, told.project) == Counts(accepted=1, retried=1, sent=1)


def test_what_a_person_ends_or_begins_again_is_counted(store: Backend) -> None:
    project = store.project()
    cancelled, again = accepted(store, project), failed(accepted(store, project).lease())
    for _ in range(2):
        store.amendments.cancel(project.principal, cancelled.planned.notification_id)
    redrive(again)
    counts = totals(store, project)
    assert (counts, counts.live) == (Counts(accepted=2, cancelled=1, failed=1, redriven=1), 1)


def test_what_expires_is_counted_held_or_not(store: Backend) -> None:
    project = store.project()
    waiting, held = accepted(store, project), accepted(store, project, expires_in=0.01)
    store.dispatches.hold([held.fence])
    store.dispatches.expire([waiting.fence])
    store.let_pass(1)  # (moves a fake's clock; times that were asked for stay, and PostgreSQL's clock is real)
    while store.now() <= held.planned.expires_at:
        time.sleep(0.002)
    assert store.upkeep.expire_held(10) == 1
    assert totals(store, project) == Counts(accepted=2, expired=2)


def test_what_is_held_has_not_ended(store: Backend) -> None:
    told = accepted(store)
    store.dispatches.hold([told.fence])
    assert totals(store, told.project) == Counts(accepted=1)


def test_records_lost_too_often_count_as_a_failure(store: Backend) -> None:
    told = accepted(store)
    for _ in range(MOST_REQUEUES + 1):
        store.upkeep.requeue([told.queue().current])
    assert told.status is Status.FAILED
    assert totals(store, told.project) == Counts(accepted=1, failed=1)


def test_what_an_erasure_stops_counts_as_cancelled(store: Backend) -> None:
    told = accepted(store)
    store.belongings.erase_recipient(told.project.principal.project_id, ["C0123"], entry(store, "recipient.erased"))
    assert told.status is Status.CANCELLED
    assert totals(store, told.project) == Counts(accepted=1, cancelled=1)


# Time to provider


def test_the_time_to_provider_begins_when_the_delivery_is_due(store: Backend) -> None:
    told = accepted(store, born_ago=3).lease()
    sent(told)
    view = seen(store, told.project)
    assert sum(times(view)) == 1
    assert 2_700 <= (percentile(times(view), 0.5) or 0) <= 4_000


def test_tries_in_vain_are_part_of_the_time_to_provider(store: Backend) -> None:
    told = accepted(store, born_ago=60).lease()
    assert told.settle(told.report(Transient("503"), Retry(store.now())))
    told.lease()
    sent(told, attempt_no=2)
    assert 54_000 <= (percentile(times(seen(store, told.project)), 0.99) or 0) <= 70_000


def test_a_redrive_is_due_afresh(store: Backend) -> None:
    told = failed(accepted(store, born_ago=600).lease())
    redrive(told)
    told.lease()
    sent(told, attempt_no=2)
    assert (percentile(times(seen(store, told.project)), 0.99) or 0) < 5_000


def test_postgresql_counts_a_time_where_the_domain_reads_it(postgres: PostgresBackend) -> None:
    some = [-5.0, 0.0, 1.0, 7.9, 8.1, 9.0, 42.0, 99.0, 512.5, 1e4, 3.3e5, 7e6, 9e9]
    rows = postgres.superuser.run("SELECT nofy_time_bucket(x) FROM unnest(%(x)s::float8[]) AS x", {"x": some})
    assert [each for (each,) in rows] == [time_bucket(each) for each in some]


# Now


def test_where_everything_is_now(store: Backend) -> None:
    project = store.project()
    accepted(store, project, due_in=3_600)
    accepted(store, project).queue()
    accepted(store, project).lease()
    retrying = accepted(store, project).lease()
    assert retrying.settle(retrying.report(Transient("503"), Retry(store.now() + timedelta(minutes=5))))
    store.dispatches.hold([accepted(store, project).fence])
    sent(accepted(store, project).lease())
    assert seen(store, project).present == Present(scheduled=1, queued=1, sending=1, retrying=1, held=1)


def test_what_was_accepted_a_moment_ago_shows_before_the_next_sweep(store: Backend) -> None:
    project = store.project()
    store.upkeep.count_accepted()
    accepted(store, project, due_in=3_600)
    view = store.reading.statistics(project.principal, Range.QUARTER)
    assert (view.present.scheduled, sum(each.counts.accepted for each in view.cells)) == (1, 1)


def test_a_lane_is_as_late_as_the_oldest_of_what_is_due_in_it(store: Backend) -> None:
    project = store.project()
    accepted(store, project, born_ago=90).queue()
    accepted(store, project, born_ago=30)
    accepted(store, project, due_in=3_600)
    accepted(store, project, channel=Channel.EMAIL, born_ago=10).lease()
    (lane,) = seen(store, project).lanes
    assert (lane.lane, lane.queued) == (Lane(Channel.SLACK, Priority.NORMAL), 2)
    assert 90 <= lane.oldest_seconds < 95


def test_an_integration_that_is_held_says_so_and_how_much_waits(store: Backend) -> None:
    told = accepted(store).lease()
    told.refuse_credential()
    store.dispatches.hold([accepted(store, told.project).fence])
    health = {each.channel: each for each in seen(store, told.project).integrations}
    assert health["slack"] == IntegrationHealth(told.project.integration(), "", "slack", held=True, held_deliveries=2)
    assert not health["email"].held


def test_dead_letters_that_are_open_are_counted(store: Backend) -> None:
    project = store.project()
    for told in (failed(accepted(store, project).lease()) for _ in range(2)):
        store.burials.bury([DeadLetter(Kind.DELIVERY, "gone", told.id, 1)])
    redrive(told)
    assert seen(store, project).dead_letters_open == 1


def test_nobody_elses_and_no_other_modes_figures_are_shown(store: Backend) -> None:
    project = store.project()
    test_mode = store.second_key(project, Mode.TEST)
    sent(accepted(store, store.project()).lease())
    sent(accepted(store, test_mode).lease())
    accepted(store, test_mode).queue()
    assert totals(store, project) == Counts()
    view = seen(store, project)
    assert (view.present, view.lanes) == (Present(0, 0, 0, 0, 0), ())
    assert totals(store, test_mode) == Counts(accepted=2, sent=1)


# Counting again, and folding


def test_a_minute_that_is_counted_again_is_not_counted_twice(store: Backend) -> None:
    project = store.project()
    accepted(store, project, born_ago=600)
    for _ in range(3):
        assert totals(store, project) == Counts(accepted=1)
    accepted(store, project)
    assert totals(store, project) == Counts(accepted=2)


def test_what_a_reconciler_missed_is_counted_two_hours_a_sweep(postgres: PostgresBackend) -> None:
    project = postgres.project()
    postgres.upkeep.count_accepted()
    postgres.superuser.run("UPDATE counting_progress SET accepted_until = accepted_until - interval '150 minutes'")
    accepted(postgres, project, born_ago=9_000 - 300)
    accepted(postgres, project, born_ago=1_800)
    found = [totals(postgres, project).accepted for _ in range(3)]
    assert found == [1, 2, 2]


def test_folding_keeps_every_total_and_the_histogram(postgres: PostgresBackend) -> None:
    project = postgres.project()
    for _ in range(3):
        sent(accepted(postgres, project, born_ago=1_800).lease())
    before = seen(postgres, project, Range.MONTH)
    aged(postgres, hours=26)
    for limit in (1, 2, 1_000, 1_000):
        postgres.upkeep.fold_counts(limit)
    assert set(slots(postgres)) == {(-2, True)}
    after = postgres.reading.statistics(project.principal, Range.MONTH)
    assert sum((each.counts for each in after.cells), Counts()) == Counts(accepted=3, sent=3)
    assert times(after) == times(before)


def test_what_is_beyond_the_longest_range_still_says_how_much_is_live(postgres: PostgresBackend) -> None:
    project = postgres.project()
    accepted(postgres, project, born_ago=1_800, due_in=3_600)
    sent(accepted(postgres, project, born_ago=1_800).lease())
    assert seen(postgres, project).present.scheduled == 1
    aged(postgres, hours=32 * 24)
    for _ in range(3):
        postgres.upkeep.fold_counts(1_000)
    assert postgres.superuser.run("SELECT count(*) FROM delivery_counts WHERE minute > '-infinity'") == [(0,)]
    kept = postgres.superuser.run("SELECT sum(accepted), sum(sent) FROM delivery_counts")
    assert [tuple(map(int, each)) for each in kept] == [(2, 1)]


def test_an_event_of_a_minute_that_was_folded_is_not_lost(postgres: PostgresBackend) -> None:
    project = postgres.project()
    late = accepted(postgres, project, born_ago=27 * 3_600).lease()
    postgres.upkeep.count_accepted()
    for _ in range(3):
        report = late.report(Accepted("message"), Done())
        late.settle(replace(report, finished_at=postgres.now() - timedelta(hours=26)))
        postgres.upkeep.fold_counts(1_000)
    view = postgres.reading.statistics(project.principal, Range.WEEK)
    assert sum(each.counts.sent for each in view.cells) == 1
    assert set(slots(postgres)) == {(-2, True)}


def test_a_minute_that_may_still_be_counted_is_not_folded(postgres: PostgresBackend) -> None:
    project = postgres.project()
    accepted(postgres, project, born_ago=1_800)
    postgres.upkeep.count_accepted()
    postgres.superuser.run("UPDATE counting_progress SET accepted_until = now() - interval '1 hour'")
    postgres.upkeep.fold_counts(1_000)
    assert [slot for slot, _ in slots(postgres)] == [16]
    postgres.upkeep.count_accepted()
    postgres.upkeep.fold_counts(1_000)
    assert [slot for slot, _ in slots(postgres)] == [-1]
    assert totals(postgres, project) == Counts(accepted=1)


def aged(postgres: PostgresBackend, hours: int) -> None:
    postgres.superuser.run("UPDATE delivery_counts SET minute = minute - make_interval(hours => %(h)s)", {"h": hours})


def slots(postgres: PostgresBackend) -> list[tuple[int, bool]]:
    return postgres.superuser.run("SELECT slot, minute = date_trunc('hour', minute) FROM delivery_counts")


# Whatever happens


class Life:
    """Deliveries of one project to which anything happens that may."""

    def __init__(self, store: Backend, seed: int) -> None:
        self.store, self.dice, self.project = store, random.Random(seed), store.project()
        self.told: list[Told] = []

    def step(self) -> None:
        acts: tuple[Callable[[], object], ...] = (
            self.accept,
            lambda: self.some(Status.SCHEDULED, Status.RETRYING, act=Told.queue),
            lambda: self.some(Status.SCHEDULED, Status.QUEUED, Status.RETRYING, act=Told.lease),
            lambda: self.some(Status.SENDING, act=self.report),
            lambda: self.some(*Status, act=self.report_late),
            lambda: self.some(*Status, act=self.cancel),
            lambda: self.some(Status.SCHEDULED, Status.RETRYING, act=self.hold_or_expire),
            lambda: self.some(Status.FAILED, Status.UNKNOWN, act=redrive),
            lambda: self.some(Status.QUEUED, act=lambda told: self.store.upkeep.requeue([told.current])),
            lambda: self.store.upkeep.release_held(10),
            self.store.upkeep.count_accepted,
        )
        self.dice.choice(acts)()

    def some(self, *statuses: Status, act: Callable[[Told], object]) -> None:
        meant = [each for each in self.told if each.status in statuses]
        if meant:
            act(self.dice.choice(meant))

    def accept(self) -> None:
        channel = self.dice.choice(list(Channel))
        self.told.append(accepted(self.store, self.project, channel=channel, due_in=self.dice.uniform(0, 5)))

    def report(self, told: Told) -> None:
        soon = self.store.now()
        what = self.dice.choice(
            [
                (Accepted("message"), Done()),
                (Transient("503"), Retry(soon)),
                (Throttled("429"), Park(soon)),
                (Rejected(RejectionKind.CONTENT, "no"), GiveUp("no")),
                (Unknown("silence"), LeaveUnknown("unknown: silence")),
            ]
        )
        told.settle(told.report(*what, attempt_no=told.state.attempt_no))

    def report_late(self, told: Told) -> None:
        told.settle(told.report(Accepted("late"), Done(), attempt_no=self.dice.randint(1, told.state.attempt_no)))

    def cancel(self, told: Told) -> None:
        self.store.amendments.cancel(self.project.principal, told.planned.notification_id)

    def hold_or_expire(self, told: Told) -> None:
        self.dice.choice([self.store.dispatches.hold, self.store.dispatches.expire])([told.current])


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_counters_say_what_the_rows_say(store: Backend, seed: int) -> None:
    life = Life(store, seed)
    for _ in range(70):
        life.step()
    statuses = [each.status for each in life.told]
    view = seen(store, life.project)
    counts = sum((each.counts for each in view.cells), Counts())
    assert counts.accepted == len(statuses)
    assert counts.live == among(statuses, LIVE)
    assert counts.cancelled == among(statuses, {Status.CANCELLED})
    assert counts.expired == among(statuses, {Status.EXPIRED})
    assert counts.sent == among(statuses, {Status.SENT}) == sum(times(view))
    redriven_or_corrected = counts.redriven + counts.corrected
    assert counts.failed - redriven_or_corrected == among(statuses, {Status.FAILED, Status.UNKNOWN})
    for name in ("scheduled", "queued", "sending", "retrying", "held"):
        assert getattr(view.present, name) == among(statuses, {Status(name)}), name


def among(statuses: Iterable[Status], wanted: Iterable[Status]) -> int:
    return sum(each in set(wanted) for each in statuses)
