"""P1: accepted, sent and recorded in PostgreSQL, so many a second, beside the same job in what others would use.

One publisher, requests of a hundred, a provider that answers at once. Each side is started, warmed and ended in its
turn: two cores are too few for one to idle beside the other. Ours is a dispatcher, a consumer and an acks handler for
each of two partitions, and the reconciler.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.client import Client, notification
from bench.finding import Finding
from bench.machine import PARTITIONS
from bench.peers import CELERY, DRAMATIQ, PROCRASTINATE, PeerAddresses
from bench.workers import EMAIL, pipeline, running

if TYPE_CHECKING:
    from bench.course import Course
    from bench.machine import Machine
    from bench.peers import Peer
    from bench.workers import Fleet

WARM_UP = 1_500
# So many that each side works for five seconds and more, whatever its rate.
COUNTS = {"nofy": 12_000, "celery": 4_000, "dramatiq": 8_000, "procrastinate": 1_500}
PATIENCE_SECONDS = 180.0
TARGETS = {"celery": 5.0, "dramatiq": 2.0, "procrastinate": 10.0}


def measure(course: Course) -> list[Finding]:
    machine = course.machine
    sides = {
        "nofy": lambda: ours(machine, COUNTS["nofy"]),
        "celery": lambda: theirs(machine, CELERY),
        "dramatiq": lambda: theirs(machine, DRAMATIQ),
        "procrastinate": lambda: theirs(machine, PROCRASTINATE),
    }
    rates = course.in_turns(sides, "/s")
    return [
        Finding.at_least("P1", f"throughput over {name}", rates["nofy"], rates[name], "/s", target)
        for name, target in TARGETS.items()
    ]


def ours(machine: Machine, count: int) -> float:
    """Notifications a second."""
    machine.clean()
    client = Client(machine.addresses, machine.project())
    with running(machine, pipeline(EMAIL, partitions=PARTITIONS)) as fleet:
        client.accept([notification(each) for each in range(WARM_UP)])
        wait_until_sent(machine, fleet, WARM_UP)
        machine.settle()
        items = [notification(each) for each in range(WARM_UP, WARM_UP + count)]
        began = time.monotonic()
        client.accept(items)
        wait_until_sent(machine, fleet, WARM_UP + count)
        rate = count / (time.monotonic() - began)
    assert len(machine.stub.arrivals()) == WARM_UP + count, "sent otherwise than once"
    machine.clean()
    return rate


def wait_until_sent(machine: Machine, fleet: Fleet, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while machine.count("sent") < count:
        fleet.alive()
        assert time.monotonic() < deadline, f"{machine.count('sent')} of {count} were sent"
        time.sleep(0.05)


def theirs(machine: Machine, peer: Peer) -> float:
    """Notifications a second."""
    machine.clean()
    addresses = PeerAddresses(machine.owner, machine.addresses.redis, machine.stub.url)
    with peer.running(addresses, machine.folder) as run:
        run.throughput(WARM_UP // 3, 0)
        machine.settle()
        count = COUNTS[peer.name]
        rate = count / run.throughput(count, WARM_UP)
    machine.clean()
    return rate
