"""The harness's workers with production's times: the same loops, loaded without :mod:`faults.shortened`'s changes.

Each is a process made anew: the harness's fork server has the shortened pipeline loaded.
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from faults.fleet import Line
from faults.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from faults.machine import Machine

# One channel is enough for an outage of its provider.
ROLES = ("producer", "dispatcher", "consumer-email", "acks", "dlq", "reconciler")


class ProductionFleet:
    """One worker of each role; asked as :class:`faults.fleet.Fleet` is."""

    def __init__(self, machine: Machine, provider: str) -> None:
        context = multiprocessing.get_context("spawn")
        addresses = replace(machine.addresses, provider=provider)
        ours, theirs = context.Pipe()
        self._line = Line(ours)
        self._processes: list[BaseProcess] = []
        for role in ROLES:
            spec = Spec(role, addresses, str(machine.folder / f"production-{role}.log"))
            process = context.Process(target=work, args=(spec, theirs if role == "producer" else None), daemon=True)
            process.start()
            self._processes.append(process)
        theirs.close()

    def ask(
        self, method: str, path: str, body: str, headers: dict[str, str], producer: str = "producer"
    ) -> tuple[int, str]:
        assert producer == "producer"
        return self._line.ask(method, path, body, headers)

    def close(self) -> None:
        for each in self._processes:
            each.kill()
            each.join()
            each.close()
        self._line.close()


def work(spec: Spec, pipe: Connection | None = None) -> None:
    """A worker's life. What it compares its times with, to know that they were shortened, are production's own."""
    from faults import shortened
    from nofy.domain import timing

    shortened.SHORTENED.update({name: getattr(timing, name) for name in shortened.SHORTENED})
    from faults.workers import main

    main(spec, pipe)


@contextmanager
def running(machine: Machine, provider: str) -> Iterator[ProductionFleet]:
    fleet = ProductionFleet(machine, provider)
    try:
        yield fleet
    finally:
        fleet.close()
