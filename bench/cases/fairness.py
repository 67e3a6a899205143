"""P10: how long a quiet project waits beside a busy one in the same lane, over being alone.

Capacity is 640 a second: a provider that takes 50 ms and bears 32 calls at once. The busy project asks for 90 % of it,
steadily; then, in a run of its own, it has a backlog of 100,000 that are all due. From the answer to the accept to the
provider.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench import backlog
from bench.cases.priority import COUNT, EVERY, LEAD_SECONDS, one_by_one
from bench.cases.slow_provider import DELAY, IN_FLIGHT, MOST
from bench.cases.throughput import WARM_UP, wait_until_sent
from bench.client import Client, notification
from bench.figures import percentile
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.workers import EMAIL, pipeline, running
from faults.spec import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.course import Course
    from bench.machine import Machine, Project
    from faults.spec import Addresses

SHARE = 0.9
BEHIND = 100_000
TARGET = 2.0
TICK = 0.05


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    lasts = course.in_turns(
        {
            "beside": lambda: _last(machine, _steady),
            "behind": lambda: _last(machine, _backlog),
            "alone": lambda: _last(machine, _nobody),
        },
        "ms at the 99th percentile",
    )
    return [
        Finding.at_most("P10", "quiet beside 90 % of capacity, p99", lasts["beside"], lasts["alone"], "ms", TARGET),
        Finding.at_most("P10", "quiet behind a backlog of 100,000, p99", lasts["behind"], lasts["alone"], "ms", TARGET),
    ]


def _last(machine: Machine, neighbour: Callable[[Machine, Project], Iterator[None]]) -> float:
    machine.clean()
    client, noisy = Client(machine.addresses, machine.project("Quiet")), machine.project("Noisy")
    with running(machine, pipeline(EMAIL, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each) for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.stub.reset(delay=DELAY, in_flight=IN_FLIGHT)
        with contextmanager(neighbour)(machine, noisy):
            waits = one_by_one(machine, client, COUNT, EVERY)
        fleet.alive()
    machine.clean()
    return percentile(waits, 0.99)


def _nobody(_: Machine, __: Project) -> Iterator[None]:
    yield


def _backlog(machine: Machine, noisy: Project) -> Iterator[None]:
    backlog.fill(machine, noisy, EMAIL, BEHIND)
    time.sleep(LEAD_SECONDS)
    yield
    assert machine.count("scheduled") > BEHIND // 2, "the backlog was gone before the end"


def _steady(machine: Machine, noisy: Project) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=ask, args=(machine.addresses, noisy, MOST * SHARE), daemon=True)
    process.start()
    try:
        time.sleep(LEAD_SECONDS * 2)
        yield
        assert process.is_alive(), "the busy project has ended"
    finally:
        process.kill()
        process.join()
        process.close()


def ask(addresses: Addresses, project: Project, rate: float) -> None:
    """So many a second, in requests of whatever a twentieth of a second brings, until it is ended."""
    end_with_parent()
    client, number, began = Client(addresses, project), 0, time.monotonic()
    while True:
        time.sleep(TICK)
        owed = int((time.monotonic() - began) * rate) - number
        client.accept([notification(number + each) for each in range(owed)])
        number += owed
