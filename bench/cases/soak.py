"""The soak: as many messages as 50 a second make in an hour, at a steady rate; what must be flat is looked at.

An hour's messages in six minutes: 500 a second, which two cores bear beside everything else that runs. Memory of the
workers, PostgreSQL's connections, its dead rows beside the live ones, what is under way: the last third over the first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from bench.cases.throughput import WARM_UP, wait_until_sent
from bench.client import Client, notification
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.workers import EMAIL, pipeline, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.course import Course
    from bench.machine import Machine
    from bench.workers import Fleet

MESSAGES, RATE = 180_000, 500.0
TICK, SAMPLE_SECONDS = 0.2, 5.0
# Of the last third's mean over the first's: what grows by a tenth in six minutes does not end well.
FLAT = 1.1
# A backlog of less than a second of work is no backlog, whatever its ratio to another one.
LITTLE = RATE

LOOKS = """
SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'nofy_%%'),
    (SELECT sum(n_dead_tup)::float / greatest(sum(n_live_tup), 1) FROM pg_stat_user_tables
        WHERE relname ~ '^(deliveries|attempts)_'),
    (SELECT count(*) FROM deliveries WHERE status IN ('scheduled', 'queued', 'sending', 'retrying'))
"""


@dataclass(frozen=True)
class Look:
    """One moment: megabytes, connections, dead rows for each live one, deliveries under way."""

    memory: float
    connections: float
    dead: float
    under_way: float


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    client = Client(machine.addresses, machine.project())
    with running(machine, pipeline(EMAIL, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each) for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.stub.reset()
        looks = _steadily(course, client, fleet)
        wait_until_sent(machine, fleet, WARM_UP + MESSAGES)
    came = len(machine.stub.arrivals())
    assert came == MESSAGES, f"{came} of {MESSAGES} came"
    machine.clean()
    return [
        _flat("memory of the workers", looks, lambda look: look.memory, "MB"),
        _flat("connections to PostgreSQL", looks, lambda look: look.connections, ""),
        _flat("dead rows for each live one", looks, lambda look: look.dead, ""),
        _flat("under way", looks, lambda look: max(look.under_way, LITTLE), "deliveries"),
    ]


def _flat(what: str, looks: list[Look], of: Callable[[Look], float], unit: str) -> Finding:
    third = len(looks) // 3
    first, last = ([of(each) for each in part] for part in (looks[:third], looks[-third:]))
    return Finding.at_most("soak", f"{what}, last third over first", [mean(last)], [mean(first)], unit, FLAT)


def _steadily(course: Course, client: Client, fleet: Fleet) -> list[Look]:
    looks: list[Look] = []
    began, number, next_look = time.monotonic(), 0, SAMPLE_SECONDS
    while number < MESSAGES:
        time.sleep(TICK)
        elapsed = time.monotonic() - began
        owed = min(int(elapsed * RATE), MESSAGES) - number
        client.accept([notification(number + each) for each in range(owed)])
        number += owed
        if elapsed >= next_look:
            next_look += SAMPLE_SECONDS
            looks.append(_look(course.machine, fleet))
            if len(looks) % 12 == 0:
                course.tell(f"  {number} accepted; {looks[-1]}")
    return looks


def _look(machine: Machine, fleet: Fleet) -> Look:
    fleet.alive()
    connections, dead, under_way = machine.query(LOOKS)[0]
    memory = sum(each.memory_info().rss for each in fleet.processes().values()) / 2**20
    return Look(memory, float(connections), float(dead or 0), float(under_way))
