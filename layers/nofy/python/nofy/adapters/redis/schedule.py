"""The schedule in Redis: two sorted sets a lane under one hash tag, and one wake list for all of them.

Scores are milliseconds, rounded up for due times and down for the present, so nothing is ever early. Members are
the 16 bytes of the delivery's id. Scripts are sent whole (EVAL): checking whether a server knows a script would
cost a trip of its own in every pipeline.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.domain.errors import ScheduleUnavailableError
from nofy.domain.ids import from_milliseconds, milliseconds
from nofy.domain.timing import CLAIM_LEASE, DISPATCHER_SLEEP
from nofy.ports.schedule import Claim, Entry, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from redis import Redis

    from nofy.domain.routing import Lane

_WAKE = "nofy:wake"
_RUN = "nofy:dispatcher:run"
_EPOCH = "nofy:epoch"
_CHUNK = 1_000  # ids in one command
_SHORTEST_SLEEP = 0.001  # BLPOP takes zero for "for ever"
_SLEEP = timedelta(seconds=DISPATCHER_SLEEP)


@cache
def _script(name: str) -> str:
    return files(__package__).joinpath(f"{name}.lua").read_text()


def connect(url: str, timeout: float) -> Redis:
    """A client that waits ``timeout`` seconds for anything and repeats nothing.

    redis-py's own defaults wait 5 s and retry: a Redis that swallows packets would hold a producer for a minute.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


class RedisSchedule:
    """Implements :class:`nofy.ports.schedule.Schedule`. Connects when first used."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._client: Redis | None = None
        self.trips = 0  # counted for the tests that bound them

    def add(self, entries: Iterable[Entry], now: datetime) -> None:
        ordered = sorted(entries, key=lambda each: each.lane.name)
        with self._pipeline() as pipeline:
            for lane, group in groupby(ordered, key=lambda each: each.lane):
                scores = {each.delivery_id.bytes: milliseconds(each.due_at) for each in group}
                for chunk in _chunks(list(scores.items())):
                    pipeline.zadd(_due(lane), dict(chunk))
            if any(each.due_at <= now + _SLEEP for each in ordered):
                pipeline.eval(_script("wake"), 1, _WAKE)

    def register(self, run_id: str) -> None:
        with self._pipeline() as pipeline:
            pipeline.set(_RUN, run_id)

    def claim(self, limits: Mapping[Lane, int], now: datetime, run_id: str) -> Turn:
        now_ms = milliseconds(now, up=False)
        lease_ms = now_ms + CLAIM_LEASE * 1_000
        answers: list[Any] = []
        with self._pipeline(answers) as pipeline:
            pipeline.get(_RUN)
            for lane, limit in limits.items():
                pipeline.eval(_script("claim"), 2, _due(lane), _leased(lane), now_ms, lease_ms, limit)
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
        with self._pipeline() as pipeline:
            for claim in claims:
                for chunk in _chunks([each.bytes for each in claim.ids]):
                    pipeline.eval(_script("release"), 1, _leased(claim.lane), claim.lease_ms, *chunk)

    def remove(self, lane: Lane, ids: Iterable[UUID]) -> None:
        with self._pipeline() as pipeline:
            for chunk in _chunks([each.bytes for each in ids]):
                pipeline.zrem(_due(lane), *chunk)

    def sleep(self, seconds: float) -> None:
        from redis.exceptions import RedisError

        if seconds < _SHORTEST_SLEEP:
            return
        try:
            self._connected().blpop([_WAKE], timeout=seconds)
        except RedisError as error:
            raise ScheduleUnavailableError(str(error)) from error

    def epoch(self) -> str:
        answers: list[Any] = []
        with self._pipeline(answers) as pipeline:
            pipeline.set(_EPOCH, secrets.token_hex(16), nx=True)
            pipeline.get(_EPOCH)
        return str(answers[1].decode())

    def close(self) -> None:
        """Hang up; the next use connects again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Redis:
        if self._client is None:
            self._client = connect(self._url, self._timeout)
        return self._client

    @contextmanager
    def _pipeline(self, answers: list[Any] | None = None) -> Iterator[Any]:
        """Commands queued inside the block travel together: one trip, and ``answers`` is filled at its end."""
        from redis.exceptions import RedisError

        try:
            pipeline = self._connected().pipeline(transaction=False)
            yield pipeline
            if len(pipeline):
                self.trips += 1
                result = pipeline.execute()
                if answers is not None:
                    answers.extend(result)
        except RedisError as error:
            raise ScheduleUnavailableError(str(error)) from error


def _due(lane: Lane) -> str:
    return f"nofy:{{{lane.name}}}:due"


def _leased(lane: Lane) -> str:
    return f"nofy:{{{lane.name}}}:leased"


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
