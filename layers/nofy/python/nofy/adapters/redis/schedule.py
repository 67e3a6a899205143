"""The schedule in Redis: two sorted sets a lane under one hash tag, and one wake list for all of them.

Scores are milliseconds, rounded up for due times and down for the present, so nothing is ever early. Members are
the 16 bytes of the delivery's id.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.adapters.redis.connection import Batch, Connection, script
from nofy.domain.ids import from_milliseconds, milliseconds
from nofy.domain.timing import CLAIM_LEASE, DISPATCHER_SLEEP
from nofy.ports.schedule import Claim, Entry, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nofy.domain.routing import Lane

_WAKE = "nofy:wake"
_RUN = "nofy:dispatcher:run"
_EPOCH = "nofy:epoch"
_CHUNK = 1_000  # ids in one command
_SHORTEST_SLEEP = 0.001  # BLPOP takes zero for "for ever"
_SLEEP = timedelta(seconds=DISPATCHER_SLEEP)


class RedisSchedule:
    """Implements :class:`nofy.ports.schedule.Schedule`. Connects when first used."""

    def __init__(
        self, url: str, *, timeout: float, password: Callable[[], str] | None = None, cluster: bool = False
    ) -> None:
        self._connection = Connection(url, timeout=timeout, password=password, cluster=cluster)
        self.trips = 0  # counted for the tests that bound them

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        # Plain dictionaries and numbers: a rebuild takes a million entries through here.
        lanes: defaultdict[Lane, dict[bytes, int]] = defaultdict(dict)
        for each in entries:
            lanes[each.lane][each.delivery_id.bytes] = milliseconds(each.due_at)
        with self._batch() as batch:
            for lane, scores in lanes.items():
                for chunk in _chunks(list(scores.items())):
                    batch.on(_due(lane)).zadd(_due(lane), dict(chunk))
            soon = milliseconds(now + _SLEEP)
            if any(min(scores.values()) <= soon for scores in lanes.values()):
                batch.on(_WAKE).eval(script("wake"), 1, _WAKE)

    def register(self, run_id: str) -> None:
        with self._batch() as batch:
            batch.on(_RUN).set(_RUN, run_id)

    def claim(self, limits: Mapping[Lane, int], now: datetime, run_id: str) -> Turn:
        now_ms = milliseconds(now, up=False)
        lease_ms = now_ms + CLAIM_LEASE * 1_000
        answers: list[Any] = []
        with self._batch(answers) as batch:
            batch.on(_RUN).get(_RUN)
            for lane, limit in limits.items():
                keys = _due(lane), _leased(lane)
                batch.on(keys[0]).eval(script("claim"), 2, *keys, now_ms, lease_ms, limit)
        newest, *found = answers
        claims = [
            Claim(lane, tuple(UUID(bytes=each) for each in ids), lease_ms)
            for lane, (ids, _) in zip(limits, found, strict=True)
            if ids
        ]
        scores = [float(score) for _, score in found if score]
        next_due = from_milliseconds(int(min(scores))) if scores else None
        # A Redis that lost everything has no newest run either: this one goes on as it.
        return Turn(tuple(claims), next_due, newest is None or newest == run_id.encode())

    def release(self, claims: Iterable[Claim]) -> None:
        with self._batch() as batch:
            for claim in claims:
                key = _leased(claim.lane)
                for chunk in _chunks([each.bytes for each in claim.ids]):
                    batch.on(key).eval(script("release"), 1, key, claim.lease_ms, *chunk)

    def remove(self, lane: Lane, ids: Iterable[UUID]) -> None:
        key = _due(lane)
        with self._batch() as batch:
            for chunk in _chunks([each.bytes for each in ids]):
                batch.on(key).zrem(key, *chunk)

    def sleep(self, seconds: float) -> None:
        if seconds < _SHORTEST_SLEEP:
            return
        with self._connection.translated():
            self._connection.of(_WAKE).blpop([_WAKE], timeout=seconds)

    def epoch(self) -> str:
        answers: list[Any] = []
        with self._batch(answers) as batch:
            batch.on(_EPOCH).set(_EPOCH, secrets.token_hex(16), nx=True)
            batch.on(_EPOCH).get(_EPOCH)
        return str(answers[1].decode())

    def close(self) -> None:
        """Hang up; the next use connects again."""
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


def _due(lane: Lane) -> str:
    return f"nofy:{{{lane.name}}}:due"


def _leased(lane: Lane) -> str:
    return f"nofy:{{{lane.name}}}:leased"


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
