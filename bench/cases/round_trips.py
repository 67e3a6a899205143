"""P7: how many times a thousand deliveries of one busy lane cross the network after accept, whatever lies behind them.

A count, which ``tests/integration/test_round_trips.py`` asserts; here without a history, and behind a long one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import backlog
from bench.client import Client, notification
from bench.finding import Finding
from bench.round_trips import counted
from bench.workers import EMAIL, InvokedSender

if TYPE_CHECKING:
    from bench.course import Course
    from bench.machine import Machine

THOUSAND = 1_000
HISTORY = 200_000
MOST = 40.0


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    fresh = _trips(machine, 0)
    old = _trips(machine, HISTORY)
    course.tell(f"  {fresh} without history, {old} behind {HISTORY}")
    return [
        Finding.bounded("P7", "round trips per 1,000 deliveries", [float(sum(fresh.values()))], "trips", MOST),
        Finding.bounded("P7", f"the same behind {HISTORY:,} deliveries", [float(sum(old.values()))], "trips", MOST),
    ]


def _trips(machine: Machine, history: int) -> dict[str, int]:
    machine.clean()
    project = machine.project()
    if history:
        backlog.fill(machine, project, EMAIL, history)
        machine.query("UPDATE deliveries SET status = 'sent'")
        machine.query("VACUUM ANALYZE deliveries")
        with machine.redis() as client:
            client.flushall()
    Client(machine.addresses, project).accept([notification(each) for each in range(THOUSAND)])
    trips = counted(machine.addresses, EMAIL, InvokedSender(machine.addresses.provider), THOUSAND)
    machine.clean()
    return trips
