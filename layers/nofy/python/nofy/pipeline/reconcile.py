"""Reconcile: what a crash left behind is found by looking at the truth, each minute.

The reconciler never decides a delivery's fate by itself: expired leases are reported to the acks topic like
any outcome, where the partition's order lets an ``Accepted`` that is already there win.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.delivery import Report
from nofy.domain.errors import NofyError
from nofy.domain.outcomes import Unknown
from nofy.domain.retry import decide
from nofy.domain.timing import IN_HAND_TOO_LONG, INDEX_WINDOW, OVERDUE, QUEUED_TOO_LONG, ROW_RETENTION
from nofy.pipeline.report import publish_reports
from nofy.ports.upkeep import IndexProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.ports.bus import Bus, Offsets
    from nofy.ports.clock import Clock, Random
    from nofy.ports.schedule import Entry, Schedule
    from nofy.ports.store import Burials
    from nofy.ports.upkeep import Overdue, Stuck, Upkeep

log = logging.getLogger(__name__)

# Rows taken in one statement. Rebuilding runs at 141,000 rows/s (measured), so a page is some 35 ms.
PAGE = 5_000
# Pages that one step takes in one sweep at most, where each leaves the next one to be found: 50,000 rows a minute heal
# an outage in minutes, and the sweep has time for its other steps.
MOST_PAGES = 10
# How far back newly accepted rows are looked at again: their producer may have died before it indexed them.
RECENT = timedelta(minutes=2)
PARTITIONS_AHEAD_DAYS = 21


@dataclass(slots=True)
class Reconciled:
    """What a sweep did, and which of its steps failed."""

    indexed: int = 0
    leases_expired: int = 0
    requeued: int = 0
    released: int = 0
    expired: int = 0
    buried: int = 0
    weeks_dropped: int = 0
    erased: int = 0
    lost: int | None = None  # None, here and below: nobody could count
    oldest_queued_seconds: int | None = None
    held_integrations: int | None = None
    failed_steps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """One sweep's ports."""

    store: Upkeep
    burials: Burials
    schedule: Schedule
    bus: Bus
    offsets: Offsets
    clock: Clock
    random: Random

    def sweep(self) -> Reconciled:
        """All steps; one that fails does not keep the others from being taken, and is named in the result."""
        done = Reconciled()
        steps: list[Callable[[Reconciled], None]] = [
            self._partitions,
            self._index,
            self._expired_leases,
            self._stuck,
            self._held,
            self._unburied,
            self._count_lost,
            self._look_at_what_waits,
            self._old_weeks,
            self._retention,
            self._counters,
        ]
        for step in steps:
            try:
                step(done)
            except NofyError:
                log.exception("step failed", extra={"step": step.__name__})
                done.failed_steps.append(step.__name__.lstrip("_"))
        return done

    def _partitions(self, _: Reconciled) -> None:
        self.store.ensure_partitions(PARTITIONS_AHEAD_DAYS)

    def _index(self, done: Reconciled) -> None:
        """What enters the window, what was just accepted, and whatever is overdue.

        A new epoch means that Redis lost everything: then the window is indexed from the beginning. The overdue
        part alone would heal every partial loss, a minute late.
        """
        now = self.clock()
        horizon = now + timedelta(seconds=INDEX_WINDOW)
        epoch = self.schedule.epoch()
        progress = self.store.index_progress()
        known = progress is not None and progress.epoch == epoch
        done.indexed += self._index_between(progress.indexed_until if progress and known else None, horizon, now)
        if known:
            done.indexed += self._index_between(None, now - timedelta(seconds=OVERDUE), now)
            recent = self.store.accepted_since(now - RECENT, horizon)
            done.indexed += self._add(recent, now)
        self.store.save_index_progress(IndexProgress(epoch, horizon))

    def _index_between(self, after: datetime | None, until: datetime, now: datetime) -> int:
        """The next page is read while one is added: after Redis lost everything, both have much to do."""
        count = 0
        with ThreadPoolExecutor(1) as reader:
            page = self.store.waiting_between(after, until, PAGE)
            while len(page) >= PAGE:
                following = reader.submit(self.store.waiting_between, page[-1], until, PAGE)
                count += self._add(page, now)
                page = following.result()
        return count + self._add(page, now)

    def _add(self, entries: list[Entry], now: datetime) -> int:
        if entries:
            self.schedule.add(entries, now)
        return len(entries)

    def _expired_leases(self, done: Reconciled) -> None:
        """The report that lies on the attempt row, else Unknown: nobody can say what its consumer had done."""
        overdue = self.store.expired_leases(PAGE)
        if overdue:
            unsent = publish_reports([self._report(each) for each in overdue], self.bus)
            done.leases_expired += len(overdue) - len(unsent)

    def _report(self, overdue: Overdue) -> Report:
        if overdue.report:
            return overdue.report
        now = self.clock()
        outcome = Unknown("its consumer ended without a word")
        decision = decide(outcome, overdue.tried, now, self.random)
        return Report(overdue.delivery_id, overdue.attempt_no, outcome, decision, now, overdue.credential_version)

    def _stuck(self, done: Reconciled) -> None:
        """Queued for long, and its consumer group has read past the record: the record is gone, dispatch again."""
        done.requeued += _pages(self._requeue)

    def _requeue(self) -> int:
        passed = [each.fence for each in self._passed(self.store.stuck_queued(QUEUED_TOO_LONG, PAGE))]
        return self._add(self.store.requeue(passed), self.clock()) if passed else 0

    def _passed(self, stuck: list[Stuck]) -> list[Stuck]:
        committed = {lane: self.offsets.committed(lane.group, lane.topic) for lane in {each.lane for each in stuck}}
        return [each for each in stuck if committed[each.lane].get(each.partition, -1) > each.offset]

    def _held(self, done: Reconciled) -> None:
        done.expired += _pages(lambda: self.store.expire_held(PAGE))
        done.released += _pages(lambda: self._add(self.store.release_held(PAGE), self.clock()))

    def _unburied(self, done: Reconciled) -> None:
        done.buried += _pages(self._bury)

    def _bury(self) -> int:
        letters = self.store.unburied(PAGE)
        if letters:
            self.burials.bury(letters)
        return len(letters)

    def _old_weeks(self, done: Reconciled) -> None:
        """One a sweep. What their deliveries ended with goes too, a page at a time: nobody is kept waiting for it."""
        done.weeks_dropped += self.store.drop_partition(ROW_RETENTION)
        self.store.forget_dead_letters(ROW_RETENTION, PAGE)

    def _retention(self, done: Reconciled) -> None:
        done.erased += _pages(lambda: self.store.erase_content(PAGE))

    def _counters(self, _: Reconciled) -> None:
        """What was accepted is counted here and not by whoever accepts, who is waited for."""
        self.store.count_accepted()
        self.store.fold_counts(PAGE)

    def _count_lost(self, done: Reconciled) -> None:
        done.lost = self.store.lost(5 * OVERDUE, IN_HAND_TOO_LONG)

    def _look_at_what_waits(self, done: Reconciled) -> None:
        backlog = self.store.backlog()
        done.oldest_queued_seconds = backlog.oldest_queued_seconds
        done.held_integrations = backlog.held_integrations


def _pages(page: Callable[[], int]) -> int:
    """Page after page until one is not full, or enough for this sweep; each takes what it found out of the next."""
    done = 0
    for _ in range(MOST_PAGES):
        found = page()
        done += found
        if found < PAGE:
            break
    return done
