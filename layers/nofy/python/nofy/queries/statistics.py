"""The overview's figures as the API shows them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from nofy.domain.ids import Prefix, encode
from nofy.domain.routing import LANES, Channel
from nofy.domain.statistics import Counts, added, percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nofy.domain.statistics import Range
    from nofy.ports.statistics import Cell, IntegrationHealth, StatisticsView


def statistics(view: StatisticsView, span: Range) -> dict[str, Any]:
    """Every bucket of the range, in order, and what they come to."""
    step = timedelta(seconds=span.step_seconds)
    totals = _counts(view.cells)
    return {
        "range": str(span),
        "step_seconds": span.step_seconds,
        "buckets": [_bucket(view.cells, view.since + place * step) for place in range(span.buckets)],
        "totals": asdict(totals),
        "success_rate": totals.success_rate,
        "time_to_provider": _time_to_provider(view.cells),
        "channels": {str(each): _channel(view.cells, each) for each in Channel},
        "now": asdict(view.present),
        "lanes": _lanes(view),
        "dead_letters_open": view.dead_letters_open,
        "integrations": [_integration(each) for each in view.integrations],
    }


def _bucket(cells: Sequence[Cell], at: datetime) -> dict[str, Any]:
    of_it = [each for each in cells if each.at == at]
    return {
        "at": at.isoformat(timespec="seconds"),
        "channels": {each.channel: asdict(each.counts) for each in of_it},
        "time_to_provider": _time_to_provider(of_it),
    }


def _channel(cells: Sequence[Cell], channel: Channel) -> dict[str, Any]:
    of_it = [each for each in cells if each.channel == channel]
    totals = _counts(of_it)
    rate = totals.success_rate
    return {"totals": asdict(totals), "success_rate": rate, "time_to_provider": _time_to_provider(of_it)}


def _counts(cells: Iterable[Cell]) -> Counts:
    return reduce(add, (each.counts for each in cells), Counts())


def _time_to_provider(cells: Iterable[Cell]) -> dict[str, Any]:
    times = added(each.times for each in cells)
    return {"p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99)}


def _lanes(view: StatisticsView) -> list[dict[str, Any]]:
    """All of them, whether or not anything waits."""
    waiting = {each.lane: (each.queued, each.oldest_seconds) for each in view.lanes}
    names = ("channel", "priority", "queued", "oldest_seconds")
    found = ((str(each.channel), str(each.priority), *waiting.get(each, (0, 0))) for each in LANES)
    return [dict(zip(names, each, strict=True)) for each in found]


def _integration(health: IntegrationHealth) -> dict[str, Any]:
    return {
        "id": encode(Prefix.INTEGRATION, health.integration_id),
        "name": health.name,
        "channel": health.channel,
        "held": health.held,
        "held_deliveries": health.held_deliveries,
    }
