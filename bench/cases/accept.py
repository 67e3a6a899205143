"""P3: accepting one notification over a raw INSERT of one row, commit and all.

A request by the function's own handler: the event read, the token, the project's rate, validation, the rows, the index,
the answer. Beside it, one row of the same content into a table of its own: what nobody who answers 202 can do without.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from bench.client import Client, notification
from bench.figures import percentile
from bench.finding import Finding
from nofy.adapters.postgres.database import Database

if TYPE_CHECKING:
    from bench.course import Course
    from bench.machine import Machine

COUNT = 600
WARM_UP = 100
TABLE = """
DROP TABLE IF EXISTS bench_raw;
CREATE TABLE bench_raw (id uuid PRIMARY KEY, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
GRANT INSERT ON bench_raw TO nofy_api
"""
MEDIAN, LAST = 1.8, 2.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    machine.query(TABLE)
    medians: dict[str, list[float]] = {"ours": [], "raw": []}
    lasts: dict[str, list[float]] = {"ours": [], "raw": []}
    for _ in range(course.repeats):
        for name, taken in _pairs(machine).items():
            medians[name].append(percentile(taken, 0.5))
            lasts[name].append(percentile(taken, 0.99))
    machine.query("DROP TABLE bench_raw")
    machine.clean()
    return [
        Finding.at_most("P3", "accept over INSERT, median", medians["ours"], medians["raw"], "ms", MEDIAN),
        Finding.at_most("P3", "accept over INSERT, p99", lasts["ours"], lasts["raw"], "ms", LAST),
    ]


def _pairs(machine: Machine) -> dict[str, list[float]]:
    """Milliseconds of each, one after the other."""
    client = Client(machine.addresses, machine.project())
    raw = Database(machine.addresses.postgres_api, application="bench-raw")
    taken: dict[str, list[float]] = {"ours": [], "raw": []}
    for number in range(WARM_UP + COUNT):
        item = notification(number)
        began = time.perf_counter()
        client.accept_one(item)
        between = time.perf_counter()
        raw.run("INSERT INTO bench_raw (id, body) VALUES (%(id)s, %(body)s)", {"id": uuid4(), "body": json.dumps(item)})
        ended = time.perf_counter()
        if number >= WARM_UP:
            taken["ours"].append((between - began) * 1_000)
            taken["raw"].append((ended - between) * 1_000)
    raw.close()
    return taken
