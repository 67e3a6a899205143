"""Redis is emptied while a million deliveries wait: how fast the reconciler indexes them, over a bare loop.

The bare loop is the least that could be done: a cursor on the server, pages of the same size, one ZADD a page into one
sorted set, ids and scores made by PostgreSQL. Both take turns on the same rows and servers, so that whatever else the
machine does meets both.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import psycopg2

from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.ids import milliseconds
from nofy.domain.routing import LANES
from nofy.pipeline.reconcile import PAGE, Reconciled, Reconciler
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from faults.machine import Machine
    from nofy.ports.bus import Bus, Offsets
    from nofy.ports.store import Burials

TARGET = 0.7
BARE_KEY = "bare"

# Ids as the producer makes them (UUIDv7, this week's partition), due times all over the window that Redis holds.
ROWS = """
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT
    (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + n %% 1000), 12, '0')
        || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 5, 15))::uuid,
    gen_random_uuid(), %(project)s, %(project)s,
    (ARRAY['slack', 'email', 'whatsapp'])[1 + n %% 3], (ARRAY['slack', 'brevo', 'whatsapp'])[1 + n %% 3],
    (ARRAY['high', 'normal', 'low'])[1 + n / 3 %% 3], true, 'rebuild-' || n, '{"text": "rebuild"}',
    'at_least_once', now() + interval '1 day', 'scheduled', now() + random() * interval '880 s', now(), now()
FROM generate_series(%(first)s, %(last)s) AS n
"""
ROWS_A_STATEMENT = 100_000

BARE = """
SELECT uuid_send(id), ceil(extract(epoch FROM due_at) * 1000)::bigint
FROM deliveries
WHERE status IN ('scheduled', 'retrying') AND due_at <= now() + interval '15 minutes'
ORDER BY due_at
"""


@dataclass(frozen=True)
class Rebuilt:
    """Seconds of each turn, in the order in which they were taken."""

    rows: int
    ours: list[float]
    bare: list[float]
    load: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """Of the rates."""
        return median(self.bare) / median(self.ours)

    def document(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "page": PAGE,
            "rows_per_second": round(self.rows / median(self.ours)),
            "bare_rows_per_second": round(self.rows / median(self.bare)),
            "ratio": round(self.ratio, 3),
            "target": TARGET,
            "lost": 0,  # and
            "twice": 0,  # or the measure would have ended with an error
            "ours_seconds": [round(each, 2) for each in self.ours],
            "bare_seconds": [round(each, 2) for each in self.bare],
            "load": self.load,
        }


def measure(machine: Machine, rows: int, repeats: int, tell: Callable[[str], None]) -> Rebuilt:
    machine.clean()
    _fill(machine, rows)
    tell(f"{rows} rows wait")
    database = Database(machine.addresses.postgres_pipeline, application="rebuild")
    schedule = RedisSchedule(machine.addresses.redis, timeout=5.0)
    ours, bare = [], []
    with closing(database), closing(schedule), closing(machine.redis()) as client:
        for _ in range(repeats):
            client.flushall()
            ours.append(_timed(lambda: _ours(database, schedule), rows))
            _each_once(machine, client)
            client.flushall()
            bare.append(_timed(lambda: _bare(machine, client), rows))
            tell(f"ours {rows / ours[-1]:8.0f} rows/s, bare {rows / bare[-1]:8.0f} rows/s")
    return Rebuilt(rows, ours, bare, os.getloadavg())


def _fill(machine: Machine, rows: int) -> None:
    project = clock.new_id()
    for first in range(1, rows + 1, ROWS_A_STATEMENT):
        last = min(first + ROWS_A_STATEMENT - 1, rows)
        machine.query(ROWS, project=project, first=first, last=last)
    machine.query("VACUUM ANALYZE deliveries")


def _timed(work: Callable[[], int], rows: int) -> float:
    began = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - began
    assert done == rows, f"{done} of {rows} were indexed"
    return seconds


def _ours(database: Database, schedule: RedisSchedule) -> int:
    """The sweep's own step; its other ports have no part in it."""
    reconciler = Reconciler(
        PostgresUpkeep(database),
        cast("Burials", None),
        schedule,
        cast("Bus", None),
        cast("Offsets", None),
        clock.now,
        clock.uniform,
    )
    done = Reconciled()
    reconciler._index(done)  # noqa: SLF001  # (the sweep's public verb takes eight other steps)
    return done.indexed


def _bare(machine: Machine, client: redis.Redis) -> int:
    count = 0
    with (
        closing(psycopg2.connect(machine.addresses.postgres_pipeline)) as connection,
        connection.cursor("bare") as cursor,
    ):
        cursor.execute(BARE)
        while page := cursor.fetchmany(PAGE):
            with client.pipeline(transaction=False) as pipeline:
                pipeline.zadd(BARE_KEY, {bytes(member): score for member, score in page})
                pipeline.execute()
            count += len(page)
    return count


def _each_once(machine: Machine, client: redis.Redis) -> None:
    """Every row is in its lane with its time, and nothing else is in any lane."""
    found: dict[tuple[str, bytes], int] = {}
    for lane in LANES:
        for key in client.scan_iter(f"nofy:{{{lane.name}}}:due:*", count=1_000):
            there: Any = client.zrange(key, 0, -1, withscores=True)
            found.update({(lane.name, member): int(score) for member, score in there})
    rows = machine.query("SELECT channel || '.' || priority, id, due_at FROM deliveries")
    wanted = {(lane, identifier.bytes): milliseconds(due_at) for lane, identifier, due_at in rows}
    assert found == wanted, f"{len(wanted.keys() - found.keys())} are missing, {len(found)} are there"
