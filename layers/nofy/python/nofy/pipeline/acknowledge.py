"""Acknowledge: the only writer of outcomes.

A batch is folded per delivery in the order of its partition, so an earlier ``Accepted`` wins over a later
``Unknown``; one compare-and-set applies the lot, and rows that lost the compare are read again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from nofy.domain import dead_letters
from nofy.domain.delivery import Change, Report, fold
from nofy.domain.errors import ScheduleUnavailableError, UnreadableRecordError
from nofy.domain.lifecycle import Status
from nofy.domain.records import InboundRecord, read_ack
from nofy.domain.timing import INDEX_WINDOW
from nofy.ports.schedule import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.domain.dead_letters import DeadLetter
    from nofy.ports.clock import Clock
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Burials, Outcomes

log = logging.getLogger(__name__)

Reports = dict["UUID", list[Report]]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a batch came to."""

    changes: tuple[Change, ...]
    unreadable: int
    compares_lost: int


@dataclass(frozen=True, slots=True)
class Acknowledger:
    """One invocation's ports."""

    store: Outcomes
    burials: Burials
    schedule: Schedule
    clock: Clock

    def acknowledge(self, records: Sequence[InboundRecord]) -> Acknowledged:
        """Apply a batch of acks records. Raising means that the whole batch comes again, which is harmless."""
        reports, letters, sources = _read(records)
        changes: list[Change] = []
        lost = 0
        while reports:
            states = self.store.states(list(reports))
            letters += [
                dead_letters.of_record(sources[each], "an ack for a delivery that does not exist")
                for each in reports.keys() - states.keys()
            ]
            tried = [fold(state, reports[each]) for each, state in states.items()]
            applied = self.store.apply(tried) if tried else set()
            changes += [each for each in tried if each.before.delivery_id in applied]
            reports = {key: reports[key] for key in states.keys() - applied}
            lost += len(reports)
        if letters:
            self.burials.bury(letters)
        self._index(changes)
        return Acknowledged(tuple(changes), len(letters), lost)

    def _index(self, changes: list[Change]) -> None:
        """Retries due inside the window go to Redis after the commit; the reconciler finds what is missed."""
        now = self.clock()
        horizon = now + timedelta(seconds=INDEX_WINDOW)
        entries = [
            Entry(each.after.lane, each.after.project_id, each.after.delivery_id, each.after.due_at)
            for each in changes
            if each.after.status is Status.RETRYING and each.after.due_at <= horizon
        ]
        if not entries:
            return
        try:
            self.schedule.add(entries, now)
        except ScheduleUnavailableError:
            log.warning("retries not indexed; the reconciler will", extra={"n": len(entries)}, exc_info=True)


def _read(records: Sequence[InboundRecord]) -> tuple[Reports, list[DeadLetter], dict[UUID, InboundRecord]]:
    """Reports by delivery in order, dead letters of what nobody can read, and each delivery's last record."""
    reports: Reports = {}
    letters: list[DeadLetter] = []
    sources: dict[UUID, InboundRecord] = {}
    for record in records:
        try:
            report = read_ack(record.value)
        except UnreadableRecordError as error:
            letters.append(dead_letters.of_record(record, str(error)))
            continue
        reports.setdefault(report.delivery_id, []).append(report)
        sources[report.delivery_id] = record
    return reports, letters, sources
