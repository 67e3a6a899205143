"""P5: how late a scheduled item reaches its provider, at 50 a second.

From its due time to the stub's clock. Event sources are read as soon as there is something to read, without a window.
An idle worker of dramatiq's looks for due work once a second as it comes, and as often as it is told to; both are
measured: as it comes, and every 50 ms, which is twenty looks a second at a Redis that has nothing.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.cases.throughput import wait_until_sent
from bench.client import Client, notification
from bench.figures import percentile
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.peers import DRAMATIQ, PeerAddresses
from bench.workers import EMAIL, pipeline, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.course import Course
    from bench.machine import Machine

RATE, SECONDS, AHEAD = 50.0, 20.0, 3.0
WARM_UP = 300
MOST_MS, SHARE = 50.0, 0.1
OFTEN_SECONDS = 0.05
SETTLE_SECONDS = 8.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    sides: dict[str, Callable[[], list[float]]] = {
        "nofy": lambda: ours(machine),
        "dramatiq": lambda: dramatiq(machine, None),
        "dramatiq, every 50 ms": lambda: dramatiq(machine, OFTEN_SECONDS),
    }
    found: dict[str, list[list[float]]] = {name: [] for name in sides}
    for turn in range(course.repeats):
        for name, late in sides.items():
            found[name].append(late())
            p50, p99 = (percentile(found[name][-1], share) for share in (0.5, 0.99))
            course.tell(f"  {turn + 1}/{course.repeats} {name}: median {p50:.1f} ms, p99 {p99:.1f} ms")
    lasts = {name: [percentile(each, 0.99) for each in runs] for name, runs in found.items()}
    return [
        Finding.bounded("P5", "lateness of scheduled items, p99", lasts["nofy"], "ms", MOST_MS),
        Finding.at_most(
            "P5", "lateness over dramatiq's as it comes, p99", lasts["nofy"], lasts["dramatiq"], "ms", SHARE
        ),
        Finding.at_most(
            "P5", "the same, dramatiq looking every 50 ms", lasts["nofy"], lasts["dramatiq, every 50 ms"], "ms", SHARE
        ),
        Finding.told("P5", "lateness, median", [percentile(each, 0.5) for each in found["nofy"]], "ms"),
    ]


def ours(machine: Machine) -> list[float]:
    """Milliseconds of each item."""
    machine.clean()
    client = Client(machine.addresses, machine.project())
    with running(machine, pipeline(EMAIL, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each) for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.stub.reset()
        began, due = time.time(), {}
        for number in range(int(RATE * SECONDS)):
            due[number] = began + AHEAD + number / RATE
            _sleep_until(due[number] - AHEAD)
            client.accept_one(notification(number, send_at=datetime.fromtimestamp(due[number], UTC)))
        wait_until_sent(machine, fleet, WARM_UP + len(due))
    late = lateness(machine, due)
    machine.clean()
    return late


def dramatiq(machine: Machine, wake_up: float | None) -> list[float]:
    """Milliseconds of each item."""
    machine.clean()
    addresses = PeerAddresses(machine.owner, machine.addresses.redis, machine.stub.url)
    with DRAMATIQ.running(addresses, machine.folder, wake_up=wake_up) as run:
        run.throughput(WARM_UP, 0)
        machine.stub.reset()
        due = run.lateness(RATE, SECONDS, AHEAD, 0)
        time.sleep(SETTLE_SECONDS)
    late = lateness(machine, due)
    machine.clean()
    return late


def lateness(machine: Machine, due: Mapping[int, float]) -> list[float]:
    """Milliseconds from due to arrival; every item must have come, and none early."""
    came = dict(machine.stub.arrivals())
    missing = due.keys() - came.keys()
    assert not missing, f"{len(missing)} of {len(due)} never came"
    return [(came[number] - at) * 1_000 for number, at in due.items()]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
