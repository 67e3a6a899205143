"""What ``nofy_count`` and ``statistics.sql`` do to rows, done to the fakes' rows: nothing is added up beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.ids import born
from nofy.domain.lifecycle import LIVE, WAITING, Event, Status
from nofy.domain.routing import LANES, Lane
from nofy.domain.statistics import Counts, Range, added, decided_at, time_bucket
from nofy.domain.tokens import Mode
from nofy.ports.statistics import Cell, IntegrationHealth, LaneBacklog, Present, StatisticsView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nofy.domain.delivery import Change
    from nofy.domain.notification import Principal
    from tests.fakes.tables import DeliveryRow, IntegrationRow, Tables

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {Event.CANCELLED: "cancelled", Event.EXPIRED: "expired", Event.GIVEN_UP: "failed", Event.REDRIVEN: "redriven"}


@dataclass(frozen=True)
class Happened:
    """One thing that is counted; ``milliseconds`` from due to the provider's answer, for what was sent."""

    event: str
    at: datetime
    milliseconds: float | None = None


def of_change(row: DeliveryRow, change: Change) -> Iterator[Happened]:
    """What a change counts, before the row has taken it."""
    before, after, at = change.before, change.after, decided_at(change)
    if after.status is Status.SENT is not before.status:
        if before.status in (Status.FAILED, Status.UNKNOWN):
            yield Happened("corrected", at)
        tried = (each.due_at for each in row.attempts.values() if each.redrive_no == row.redrive_no)
        due = before.due_at if before.attempt_no == 1 else min(tried, default=before.due_at)
        yield Happened("sent", at, (at - due) / timedelta(milliseconds=1))
    elif after.status in (Status.FAILED, Status.UNKNOWN) and before.status is Status.SENDING:
        yield Happened("failed", at)
    elif after.status is Status.RETRYING and after.spent > before.spent:
        yield Happened("retried", at)


def view(tables: Tables, principal: Principal, span: Range, now: datetime) -> StatisticsView:
    rows = [each for each in tables.deliveries.values() if _is_of(each, principal)]
    step = timedelta(seconds=span.step_seconds)
    since = EPOCH + ((now - EPOCH) // step + 1 - span.buckets) * step
    waiting = {status: sum(each.status is status for each in rows) for status in LIVE}
    integrations = [each for each in tables.integrations.values() if each.project_id == principal.project_id]
    return StatisticsView(
        since,
        tuple(_cells(rows, since, step)),
        Present(*(waiting[Status(each)] for each in ("scheduled", "queued", "sending", "retrying", "held"))),
        tuple(each for lane in LANES if (each := _backlog(rows, lane, now))),
        _open_letters(tables, rows),
        tuple(sorted((_health(each, rows) for each in integrations if not each.removed_at), key=_place)),
    )


def _is_of(row: DeliveryRow, principal: Principal) -> bool:
    return row.project_id == principal.project_id and row.live is (principal.mode is Mode.LIVE)


def _cells(rows: list[DeliveryRow], since: datetime, step: timedelta) -> Iterator[Cell]:
    events: dict[tuple[datetime, str], list[Happened]] = {}
    for row in rows:
        for each in (Happened("accepted", born(row.planned.delivery_id)), *row.happened):
            at = EPOCH + (each.at - EPOCH) // step * step
            if at >= since:
                events.setdefault((at, str(row.planned.lane.channel)), []).append(each)
    for (at, channel), happened in sorted(events.items()):
        counts = sum((Counts(**{each.event: 1}) for each in happened), Counts())
        times = [_one(each.milliseconds) for each in happened if each.milliseconds is not None]
        yield Cell(at, channel, counts, tuple(added(times)))


def _one(milliseconds: float) -> list[int]:
    return [0] * time_bucket(milliseconds) + [1]


def _backlog(rows: list[DeliveryRow], lane: Lane, now: datetime) -> LaneBacklog | None:
    due = [row.due_at for row in rows if row.planned.lane == lane and _is_due(row, now)]
    return LaneBacklog(lane, len(due), max(0, int((now - min(due)).total_seconds()))) if due else None


def _is_due(row: DeliveryRow, now: datetime) -> bool:
    return row.status is Status.QUEUED or (row.status in WAITING and row.due_at <= now)


def _open_letters(tables: Tables, rows: list[DeliveryRow]) -> int:
    ids = {row.planned.delivery_id for row in rows}
    return sum(each.open and each.letter.delivery_id in ids for each in tables.dead_letters)


def _health(row: IntegrationRow, rows: list[DeliveryRow]) -> IntegrationHealth:
    its = row.integration
    held = sum(each.status is Status.HELD and each.planned.integration_id == its.integration_id for each in rows)
    return IntegrationHealth(its.integration_id, row.name, str(its.channel), row.held, held)


def _place(health: IntegrationHealth) -> tuple[str, str, str]:
    return health.channel, health.name, str(health.integration_id)
