"""P6: what a claim costs an item with 10^7 scheduled over 10^5, and that Redis holds the hot window and nothing more.

Two lanes of one Redis, a hundred projects each, ids due all over the window; claims of five hundred in turns. Then
notifications due all over a day are accepted, and the reconciler sweeps: what lies beyond the window is in PostgreSQL.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from bench.client import Client, notification
from bench.finding import Finding
from faults.workers import load_handler
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.routing import Channel, Lane, Priority
from nofy.domain.timing import ACCEPT_WINDOW, INDEX_WINDOW
from nofy.ports.schedule import Entry
from nofy.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.course import Course
    from bench.machine import Machine

MANY, FEW = 10_000_000, 100_000
PROJECTS = 100
CLAIM, CLAIMS = 500, 60
PAGE = 20_000
TARGET = 1.5
SIDES = {MANY: Lane(Channel.EMAIL, Priority.LOW), FEW: Lane(Channel.EMAIL, Priority.HIGH)}
A_DAY, SPREAD = timedelta(days=1), 3_000


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    began = clock.now()
    with closing(RedisSchedule(machine.addresses.redis, timeout=60.0)) as schedule:
        bytes_each = _fill(course, schedule, began)
        costs = course.in_turns(
            {
                "10^7": lambda: _microseconds(schedule, SIDES[MANY], began),
                "10^5": lambda: _microseconds(schedule, SIDES[FEW], began),
            },
            "us an item",
        )
    machine.clean()
    inside, outside = _hot_window(machine)
    course.tell(f"  due within a day: {inside + outside}; in Redis: {inside}")
    machine.clean()
    return [
        Finding.at_most("P6", "claim and release, 10^7 over 10^5", costs["10^7"], costs["10^5"], "µs an item", TARGET),
        Finding.told("P6", "Redis memory for an id in the window", [bytes_each], "B"),
        Finding.told(
            "P6",
            "ids in Redis, of those due within a day",
            [float(inside)],
            "ids",
            note=f"of {inside + outside}; none of them due beyond the window",
        ),
    ]


def _fill(course: Course, schedule: RedisSchedule, began: datetime) -> float:
    """Both lanes; bytes for each id of the large one."""
    with course.machine.redis() as client:
        for _ in _added(schedule, FEW, began):
            pass
        before = client.info("memory")["used_memory"]
        for done in _added(schedule, MANY, began):
            if done % 2_000_000 == 0:
                course.tell(f"  {done} scheduled")
        return float((client.info("memory")["used_memory"] - before) / MANY)


def _added(schedule: RedisSchedule, count: int, began: datetime) -> Iterator[int]:
    """Page by page; how many there are."""
    random = Random(count)  # noqa: S311
    projects = [UUID(int=each) for each in range(PROJECTS)]
    for start in range(0, count, PAGE):
        schedule.add(
            [
                Entry(
                    SIDES[count],
                    projects[number % PROJECTS],
                    UUID(int=random.getrandbits(128)),
                    began + timedelta(seconds=random.uniform(0, INDEX_WINDOW)),
                )
                for number in range(start, start + PAGE)
            ],
            began - timedelta(seconds=60),  # nobody is woken
        )
        yield start + PAGE


def _microseconds(schedule: RedisSchedule, lane: Lane, began: datetime) -> float:
    """For each id, claimed and let go of."""
    now = began + timedelta(seconds=INDEX_WINDOW)
    count, seconds = 0, 0.0
    for _ in range(CLAIMS):
        before = time.perf_counter()
        turn = schedule.claim({lane: CLAIM}, now, "bench")
        schedule.release(turn.claims)
        seconds += time.perf_counter() - before
        count += sum(len(each.ids) for each in turn.claims)
    return seconds / count * 1_000_000


def _hot_window(machine: Machine) -> tuple[int, int]:
    """How many of those due within a day are in Redis, and how many are not."""
    client = Client(machine.addresses, machine.project())
    now = datetime.now(UTC)
    due = [now + A_DAY * (number + 1) / SPREAD for number in range(SPREAD)]
    client.accept([notification(number, send_at=each) for number, each in enumerate(due)])
    load_handler("reconciler", machine.addresses).reconciler.sweep()
    with machine.redis() as redis:
        held = sum(redis.zcard(key) for key in redis.scan_iter("nofy:*:due:*"))
    latest = clock.now() + timedelta(seconds=ACCEPT_WINDOW)
    assert held <= sum(each <= latest for each in due), "Redis holds what is due beyond the window"
    return held, SPREAD - held
