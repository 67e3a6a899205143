"""P3: accepting one notification over a raw INSERT of one row, commit and all.

A request by the function's own handler: the event read, the token, the project's rate, validation, the rows, the index,
the answer. Beside it, one row of the same content into a table of its own: what nobody who answers 202 can do without.
And what ours would take if nothing but its servers were waited for: the store's one call, and two bare round trips to
Redis, one before it for the project's rate and one after it for the index.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench.client import Client, notification
from bench.figures import percentile
from bench.finding import Finding
from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.database import Database
from nofy.domain import tokens
from nofy.domain.notification import plan
from nofy.runtime import clock
from nofy.runtime.api.requests import read_notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.course import Course
    from bench.machine import Machine, Project
    from nofy.domain.notification import PlannedNotification

COUNT = 600
WARM_UP = 100
TABLE = """
DROP TABLE IF EXISTS bench_raw;
CREATE TABLE bench_raw (id uuid PRIMARY KEY, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
GRANT INSERT ON bench_raw TO nofy_api
"""
INSERT = "INSERT INTO bench_raw (id, body) VALUES (%(id)s, %(body)s)"
MEDIAN, LAST = 1.8, 2.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    machine.query(TABLE)
    medians: dict[str, list[float]] = {"ours": [], "raw": [], "least": []}
    lasts: dict[str, list[float]] = {"ours": [], "raw": [], "least": []}
    for _ in range(course.repeats):
        for name, taken in _pairs(machine).items():
            medians[name].append(percentile(taken, 0.5))
            lasts[name].append(percentile(taken, 0.99))
    machine.query("DROP TABLE bench_raw")
    machine.clean()
    return [
        Finding.at_most("P3", "accept over INSERT, median", medians["ours"], medians["raw"], "ms", MEDIAN),
        Finding.at_most("P3", "accept over INSERT, p99", lasts["ours"], lasts["raw"], "ms", LAST),
        Finding.told("P3", "the servers' part of accepting, median", medians["least"], "ms"),
        Finding.told("P3", "the servers' part of accepting, p99", lasts["least"], "ms"),
    ]


def _pairs(machine: Machine) -> dict[str, list[float]]:
    """Milliseconds of each, one after the other."""
    project = machine.project()
    client = Client(machine.addresses, project)
    raw = Database(machine.addresses.postgres_api, application="bench-raw")
    taken: dict[str, list[float]] = {"ours": [], "raw": [], "least": []}
    with _least(machine, project) as least:
        for number in range(WARM_UP + COUNT):
            item = notification(number)
            row = {"id": uuid4(), "body": json.dumps(item)}
            promise = least.planned(item)
            seconds = {
                "ours": _timed(partial(client.accept_one, item)),
                "raw": _timed(partial(raw.run, INSERT, row)),
                "least": _timed(partial(least.accept, promise)),
            }
            if number >= WARM_UP:
                for name, each in seconds.items():
                    taken[name].append(each * 1_000)
    raw.close()
    return taken


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class _Least:
    """What PostgreSQL and Redis take for one notification."""

    def __init__(self, database: Database, redis: socket.socket, token: str) -> None:
        self._store = PostgresAcceptances(database)
        principal = self._store.principal(tokens.digest(token))
        assert principal
        self._principal = principal
        self._redis = redis

    def planned(self, item: dict[str, Any]) -> PlannedNotification:
        now = clock.now()
        return plan(read_notification(item, self._principal, now), self._principal, clock.new_id.born_at, now)

    def accept(self, planned: PlannedNotification) -> None:
        self._ping()
        self._store.accept(self._principal, [planned])
        self._ping()

    def _ping(self) -> None:
        self._redis.sendall(b"PING\r\n")
        assert self._redis.recv(64) == b"+PONG\r\n"


@contextmanager
def _least(machine: Machine, project: Project) -> Iterator[_Least]:
    database = Database(machine.addresses.postgres_api, application="bench-least")
    address = urlsplit(machine.addresses.redis)
    with closing(database), socket.create_connection((address.hostname or "", address.port or 0)) as redis:
        yield _Least(database, redis, project.token)
