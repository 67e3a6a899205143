"""What the overview shows, as the store tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.routing import Lane
    from nofy.domain.statistics import Counts


@dataclass(frozen=True, slots=True)
class Cell:
    """One channel in one bucket of time; ``times`` is the histogram of what was sent."""

    at: datetime
    channel: str
    counts: Counts
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """How many deliveries are where, now; each but ``scheduled`` is counted up to 100,000 only."""

    scheduled: int
    queued: int
    sending: int
    retrying: int
    held: int


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """What is due in a lane and not begun, and how long ago the oldest of it was due."""

    lane: Lane
    queued: int
    oldest_seconds: int


@dataclass(frozen=True, slots=True)
class IntegrationHealth:
    """``held``: its provider refused the credential, and ``held_deliveries`` (up to 100,000) wait for another one."""

    integration_id: UUID
    name: str
    channel: str
    held: bool
    held_deliveries: int


@dataclass(frozen=True, slots=True)
class StatisticsView:
    """A project's figures; ``since`` is where the first bucket begins, whether or not anything happened in it."""

    since: datetime
    cells: tuple[Cell, ...]
    present: Present
    lanes: tuple[LaneBacklog, ...]
    dead_letters_open: int
    integrations: tuple[IntegrationHealth, ...]
