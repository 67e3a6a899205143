"""P9: how long a high priority waits behind a hundred thousand low ones of the same channel, over an empty system.

From the answer to the accept to the provider. The provider takes 50 ms a call, so that it is lanes and turns that are
measured and not two cores shared by ten processes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench import backlog
from bench.cases.throughput import WARM_UP, wait_until_sent
from bench.client import Client, notification
from bench.figures import percentile
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.workers import pipeline, running
from nofy.domain.routing import Channel, Lane, Priority

if TYPE_CHECKING:
    from bench.course import Course
    from bench.machine import Machine

HIGH, LOW = Lane(Channel.EMAIL, Priority.HIGH), Lane(Channel.EMAIL, Priority.LOW)
DELAY, IN_FLIGHT = 0.05, 32
BEHIND = 100_000
COUNT, EVERY = 300, 0.05
LEAD_SECONDS = 3.0  # until the backlog is on its way
TARGET = 2.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    lasts = course.in_turns(
        {"behind": lambda: _last(machine, BEHIND), "alone": lambda: _last(machine, 0)}, "ms at the 99th percentile"
    )
    return [Finding.at_most("P9", "high behind 100,000 low, p99", lasts["behind"], lasts["alone"], "ms", TARGET)]


def _last(machine: Machine, behind: int) -> float:
    machine.clean()
    project = machine.project()
    client = Client(machine.addresses, project)
    with running(machine, pipeline(HIGH, LOW, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each, priority="high") for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.stub.reset(delay=DELAY, in_flight=2 * IN_FLIGHT)
        if behind:
            backlog.fill(machine, project, LOW, behind)
            time.sleep(LEAD_SECONDS)
        waits = one_by_one(machine, client, COUNT, EVERY, priority="high")
        fleet.alive()
        if behind:
            assert machine.count("scheduled") > behind // 2, "the backlog was gone before the end"
    machine.clean()
    return percentile(waits, 0.99)


def one_by_one(machine: Machine, client: Client, count: int, every: float, **more: Any) -> list[float]:
    """Milliseconds from each answer to the call of the provider."""
    accepted: dict[int, float] = {}
    began = time.time()
    for number in range(count):
        time.sleep(max(0.0, began + number * every - time.time()))
        client.accept_one(notification(FIRST + number, **more))
        accepted[FIRST + number] = time.time()
    return [(came - accepted[number]) * 1_000 for number, came in _all_come(machine, set(accepted)).items()]


FIRST = 50_000_000  # numbers that nothing else has
PATIENCE_SECONDS = 60.0


def _all_come(machine: Machine, numbers: set[int]) -> dict[int, float]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        arrivals = [(number, at) for number, at in machine.stub.arrivals() if number in numbers]
        came = dict(arrivals)
        if len(came) == len(numbers):
            assert len(arrivals) == len(came), f"{len(arrivals) - len(came)} came twice"
            return came
        assert time.monotonic() < deadline, f"{len(numbers) - len(came)} of {len(numbers)} did not come"
        time.sleep(0.5)
