"""The schedule in Redis: for each lane, under one hash tag, ids by project and who is next; one wake list for all.

``due:<project>``  ids (16 bytes) by the time they are due; one set a project, gone with its last id
``heads``          projects by the time their soonest id is due, or an earlier one: a claim that finds nothing mends it
``turns``          projects with due work by the virtual time of their next turn, who is least far on first
``served``         how far those got that have nothing due any more, as long as others are behind them
``leased``         claimed ids by the end of their lease

Whatever is due belongs to a project with a head or a turn: ids go in before heads, and the claim's script takes neither
away while an id is left. Times are milliseconds, rounded up for due times and down for the present, so nothing is ever
early. Projects are their 32 hexadecimal digits.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.adapters.redis.connection import Batch, Connection, script
from nofy.adapters.redis.waking import Waking
from nofy.domain.ids import from_milliseconds, milliseconds
from nofy.domain.routing import LANES
from nofy.domain.timing import CLAIM_LEASE, DISPATCHER_SLEEP
from nofy.ports.schedule import EQUAL, NOBODY, Claim, Entry, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from nofy.domain.routing import Lane

_WAKE = "nofy:wake"
_RUN = "nofy:dispatcher:run"
# Another layout of keys is another index: a name of its own makes the next sweep fill it.
_EPOCH = "nofy:epoch:by-project"
_FORMER_EPOCH = "nofy:epoch"
_CHUNK = 1_000  # ids in one command
# Projects that take part in one claim of a lane; where more are busy, the others come in the next ones. Each costs
# Redis some twenty microseconds a claim (measured with 500 of them), in which it serves nobody else.
MOST_PROJECTS = 250
_SHORTEST_SLEEP = 0.001
_SLEEP = timedelta(seconds=DISPATCHER_SLEEP)


class RedisSchedule:
    """Implements :class:`nofy.ports.schedule.Schedule`. Connects when first used."""

    def __init__(
        self, url: str, *, timeout: float, password: Callable[[], str] | None = None, cluster: bool = False
    ) -> None:
        self._connection = Connection(url, timeout=timeout, password=password, cluster=cluster)
        self._waking = Waking(self._connection, _WAKE, DISPATCHER_SLEEP)
        self.trips = 0  # counted for the tests that bound them

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        # Plain dictionaries and numbers: a rebuild takes a million entries through here.
        lanes: defaultdict[Lane, defaultdict[UUID, dict[bytes, int]]] = defaultdict(lambda: defaultdict(dict))
        for each in entries:
            lanes[each.lane][each.project_id][each.delivery_id.bytes] = milliseconds(each.due_at)
        heads = {
            lane: {project.hex: min(scores.values()) for project, scores in projects.items()}
            for lane, projects in lanes.items()
        }
        with self._batch() as batch:
            for lane, projects in lanes.items():
                for project, scores in projects.items():
                    key = _due(lane, project.hex)
                    for chunk in _chunks(list(scores.items())):
                        batch.on(key).zadd(key, dict(chunk))
            # After the ids: a claim between the two would find nothing, and take the head away.
            for lane, soonest in heads.items():
                for chunk in _chunks(list(soonest.items())):
                    batch.on(_heads(lane)).zadd(_heads(lane), dict(chunk), lt=True)
            soon = milliseconds(now + _SLEEP)
            if any(min(soonest.values()) <= soon for soonest in heads.values()):
                batch.on(_WAKE).eval(script("wake"), 1, _WAKE)

    def register(self, run_id: str) -> None:
        with self._batch() as batch:
            batch.on(_RUN).set(_RUN, run_id)

    def claim(
        self,
        limits: Mapping[Lane, int],
        now: datetime,
        run_id: str,
        weights: Mapping[UUID, int] = EQUAL,
        passed_over: Mapping[Lane, Collection[UUID]] = NOBODY,
    ) -> Turn:
        """One trip to see who has work, and one more to take it, if anybody has."""
        now_ms = milliseconds(now, up=False)
        lease_ms = now_ms + CLAIM_LEASE * 1_000
        newest, found = self._peek(limits, now_ms)
        looks = {lane: look.without(passed_over.get(lane, ())) for lane, look in found.items()}
        wanted = {
            lane: _Wanted(limits[lane], look.busy)
            for lane, look in looks.items()
            if limits[lane] > 0 and (look.busy or look.left_behind)
        }
        taken = self._take(wanted, now_ms, lease_ms, weights)
        claims = [Claim(lane, tuple(UUID(bytes=each) for each in ids), lease_ms) for lane, (ids, _) in taken.items()]
        again = [taken[lane][1] if lane in taken else look.again(now_ms) for lane, look in looks.items()]
        scores = [float(each) for each in again if each]
        return Turn(
            tuple(each for each in claims if each.ids),
            from_milliseconds(int(min(scores))) if scores else None,
            # A Redis that lost everything has no newest run either: this one goes on as it.
            newest is None or newest == run_id.encode(),
        )

    def _peek(self, lanes: Iterable[Lane], now_ms: int) -> tuple[bytes | None, dict[Lane, _Look]]:
        answers: list[Any] = []
        lanes = list(lanes)
        with self._batch(answers) as batch:
            batch.on(_RUN).get(_RUN)
            for lane in lanes:
                keys = _lane_keys(lane)
                batch.on(keys[0]).eval(script("peek"), len(keys), *keys, now_ms, MOST_PROJECTS)
        newest, *found = answers
        looks = (_Look([each.decode() for each in busy], head, bool(left)) for busy, head, left in found)
        return newest, dict(zip(lanes, looks, strict=True))

    def _take(
        self, wanted: Mapping[Lane, _Wanted], now_ms: int, lease_ms: int, weights: Mapping[UUID, int]
    ) -> dict[Lane, tuple[list[bytes], bytes | None]]:
        """Each lane's ids, and when to look at it again."""
        if not wanted:
            return {}
        of_project = {each.hex: weight for each, weight in weights.items()}
        answers: list[Any] = []
        with self._batch(answers) as batch:
            for lane, each in wanted.items():
                keys = [*_lane_keys(lane), *(_due(lane, project) for project in each.projects)]
                known = [of_project.get(project, 1) for project in each.projects]
                batch.on(keys[0]).eval(script("claim"), len(keys), *keys, now_ms, lease_ms, each.limit, *known)
        return dict(zip(wanted, ((ids, again) for ids, again in answers), strict=True))

    def release(self, claims: Iterable[Claim]) -> None:
        with self._batch() as batch:
            for claim in claims:
                key = _leased(claim.lane)
                for chunk in _chunks([each.bytes for each in claim.ids]):
                    batch.on(key).eval(script("release"), 1, key, claim.lease_ms, *chunk)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Their projects' heads stay: too early, which the next claim mends."""
        sets: defaultdict[str, list[bytes]] = defaultdict(list)
        for each in entries:
            sets[_due(each.lane, each.project_id.hex)].append(each.delivery_id.bytes)
        with self._batch() as batch:
            for key, ids in sets.items():
                for chunk in _chunks(ids):
                    batch.on(key).zrem(key, *chunk)

    def sleep(self, seconds: float) -> None:
        if seconds < _SHORTEST_SLEEP:
            return
        with self._connection.translated():
            self._waking.wait(seconds)

    def epoch(self) -> str:
        answers: list[Any] = []
        with self._batch(answers) as batch:
            batch.on(_EPOCH).set(_EPOCH, secrets.token_hex(16), nx=True)
            batch.on(_EPOCH).get(_EPOCH)
        made, value = answers
        if made:
            self._forget_former()
        return str(value.decode())

    def _forget_former(self) -> None:
        """What the layout before this one left behind (one set a lane): nobody reads it, so it would stay for ever."""
        with self._batch() as batch:
            for key in (_FORMER_EPOCH, *(_key(lane, "due") for lane in LANES)):
                batch.on(key).unlink(key)

    def close(self) -> None:
        """Hang up; the next use connects again."""
        self._waking.close()
        self._connection.close()

    @contextmanager
    def _batch(self, answers: list[Any] | None = None) -> Iterator[Batch]:
        """Commands queued inside the block travel together at its end, and then ``answers`` is filled."""
        with self._connection.translated():
            batch = Batch(self._connection)
            yield batch
            self.trips += batch.trips
            found = batch.execute()
        if answers is not None:
            answers.extend(found)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a peek saw in one lane: whose turn it is, the soonest head of all others, and whether a lease ran out."""

    busy: list[str]
    head: bytes | None
    left_behind: bool

    def without(self, projects: Collection[UUID]) -> _Look:
        if not projects:
            return self
        names = {each.hex for each in projects}
        return replace(self, busy=[each for each in self.busy if each not in names])

    def again(self, now_ms: int) -> int | bytes | None:
        """When there is something to claim, for a lane that nothing was claimed of."""
        return now_ms if self.busy else self.head


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a claim asks of one lane."""

    limit: int
    projects: list[str]


def _lane_keys(lane: Lane) -> tuple[str, str, str, str]:
    """The keys that both scripts take, in their order."""
    return _heads(lane), _key(lane, "turns"), _key(lane, "served"), _leased(lane)


def _due(lane: Lane, project: str) -> str:
    return _key(lane, f"due:{project}")


def _heads(lane: Lane) -> str:
    return _key(lane, "heads")


def _leased(lane: Lane) -> str:
    return _key(lane, "leased")


def _key(lane: Lane, name: str) -> str:
    return f"nofy:{{{lane.name}}}:{name}"


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
