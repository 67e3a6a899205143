"""Lag: how late due work is claimed, by lane and by project. Whoever waits while others are served shows here.

What is not claimed yet is not seen yet; but everybody is claimed in turns, so a project that falls behind is noticed
with each of its turns.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.ids import Prefix, encode
from nofy.domain.timing import DISPATCHER_SLEEP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from nofy.domain.delivery import Waiting
    from nofy.domain.routing import Lane

TOLD_EVERY = timedelta(minutes=1)
# A metric with a project's name costs what a metric costs for each project that it ever names in an hour: so the worst
# of a minute are named, of an hour no more than so many, and nobody who is as much on time as a lost wake lets be.
WORST = 10
MOST_IN_AN_HOUR = 20
ON_TIME_MS = int(DISPATCHER_SLEEP * 1_000)

_MILLISECOND = timedelta(milliseconds=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LaneLag:
    """The largest of a lane's, in milliseconds."""

    lane: str
    lane_lag_ms: int


@dataclass(frozen=True, slots=True)
class ProjectLag:
    """The largest of a project's, in milliseconds, in any lane."""

    project: str
    project_lag_ms: int


@dataclass(frozen=True, slots=True)
class Lagging:
    """What is told of a minute, the worst first; projects that are late."""

    lanes: tuple[LaneLag, ...]
    projects: tuple[ProjectLag, ...]


@dataclass(slots=True)
class Lags:
    """The largest lag of each since it was last told."""

    _lanes: defaultdict[Lane, int] = field(default_factory=lambda: defaultdict(int))
    _projects: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    _since: datetime | None = None
    _named: set[UUID] = field(default_factory=set)
    _named_since: datetime | None = None

    def note(self, due: Iterable[Waiting], now: datetime) -> None:
        self._since = self._since or now
        for each in due:
            late = (now - each.fence.due_at) // _MILLISECOND
            self._lanes[each.lane] = max(self._lanes[each.lane], late)
            self._projects[each.project_id] = max(self._projects[each.project_id], late)

    def ripe(self, now: datetime) -> bool:
        return self._since is not None and now - self._since >= TOLD_EVERY

    def take(self, now: datetime) -> Lagging:
        """What there is to tell; it begins anew."""
        lanes = sorted(self._lanes.items(), key=lambda each: -each[1])
        projects = sorted(self._projects.items(), key=lambda each: -each[1])[:WORST]
        named = [(each, late) for each, late in projects if late > ON_TIME_MS and self._may_name(each, now)]
        self._lanes.clear()
        self._projects.clear()
        self._since = None
        return Lagging(
            tuple(LaneLag(lane.name, late) for lane, late in lanes),
            tuple(ProjectLag(encode(Prefix.PROJECT, each), late) for each, late in named),
        )

    def _may_name(self, project: UUID, now: datetime) -> bool:
        if self._named_since is None or now - self._named_since >= _HOUR:
            self._named.clear()
            self._named_since = now
        if len(self._named) < MOST_IN_AN_HOUR:
            self._named.add(project)
        return project in self._named
