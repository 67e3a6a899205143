"""P4: accepting in requests of a hundred over requests of one, for each notification."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.client import REQUEST, Client, notification
from bench.finding import Finding

if TYPE_CHECKING:
    from bench.course import Course

SINGLE, BATCHES = 600, 30
TARGET = 10.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    machine.clean()
    client = Client(machine.addresses, machine.project())
    client.accept([notification(each) for each in range(REQUEST)])
    client.accept_one(notification(0))

    def batches() -> float:
        items = [notification(each) for each in range(BATCHES * REQUEST)]
        began = time.perf_counter()
        client.accept(items)
        return len(items) / (time.perf_counter() - began)

    def single() -> float:
        began = time.perf_counter()
        for each in range(SINGLE):
            client.accept_one(notification(each))
        return SINGLE / (time.perf_counter() - began)

    rates = course.in_turns({"batches": batches, "single": single}, "/s")
    machine.clean()
    return [Finding.at_least("P4", "batches of 100 over one by one", rates["batches"], rates["single"], "/s", TARGET)]
