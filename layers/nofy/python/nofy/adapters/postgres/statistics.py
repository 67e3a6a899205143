"""The overview's figures: one row of ``statistics.sql``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nofy.adapters.postgres.values import lane
from nofy.domain.statistics import Counts
from nofy.ports.statistics import Cell, IntegrationHealth, LaneBacklog, Present, StatisticsView

# Of what is under way no more than this is counted on the spot: an index's pages, some ten milliseconds.
MOST_COUNTED = 100_000


def statistics_view(row: tuple[Any, ...]) -> StatisticsView:
    """What ``statistics.sql`` answered."""
    since, cells, live, queued, sending, retrying, lanes, letters, integrations, held = row
    scheduled = max(0, live - queued - sending - retrying - held)
    return StatisticsView(
        since=since,
        cells=tuple(_cell(each) for each in cells),
        present=Present(scheduled, queued, sending, retrying, held),
        lanes=tuple(LaneBacklog(lane(channel, priority), *rest) for channel, priority, *rest in lanes),
        dead_letters_open=letters,
        integrations=tuple(IntegrationHealth(UUID(each), *rest) for each, *rest in integrations),
    )


def _cell(values: list[Any]) -> Cell:
    at, channel, *counts, times = values
    return Cell(datetime.fromtimestamp(at, UTC), channel, Counts(*counts), tuple(times))
