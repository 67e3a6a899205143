"""P2: the same work with a provider that takes 50 ms and bears 32 calls at once: 640 a second if none idles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.cases.throughput import WARM_UP, wait_until_sent
from bench.client import Client, notification
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.workers import EMAIL, pipeline, running

if TYPE_CHECKING:
    from bench.course import Course
    from bench.machine import Machine

DELAY, IN_FLIGHT = 0.05, 32
MOST = IN_FLIGHT / DELAY
COUNT = 8_000
TARGET = 0.9


def measure(course: Course) -> list[Finding]:
    rates = course.in_turns({"nofy": lambda: rate(course.machine)}, "/s")["nofy"]
    return [Finding.at_least("P2", "throughput over 32 calls in 50 ms", rates, [MOST], "/s", TARGET)]


def rate(machine: Machine) -> float:
    """Notifications a second, from the first accept to the last acknowledgement."""
    machine.clean()
    client = Client(machine.addresses, machine.project())
    with running(machine, pipeline(EMAIL, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each) for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.stub.reset(delay=DELAY, in_flight=IN_FLIGHT)
        began = time.monotonic()
        client.accept([notification(each) for each in range(WARM_UP, WARM_UP + COUNT)])
        wait_until_sent(machine, fleet, WARM_UP + COUNT)
        found = COUNT / (time.monotonic() - began)
    assert len(machine.stub.arrivals()) == COUNT, "sent otherwise than once"
    machine.clean()
    return found
