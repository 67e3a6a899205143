"""What a worker is told, and its way into a process of its own.

Nothing here loads the pipeline: that happens in the worker, with shortened times, which nobody else must see.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.domain.routing import Priority

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext

    from faults import tricks as wrongs

# Records that a consumer holds at once from one lane, and lanes that one consumer process serves: what a kill of it
# may repeat is their product, and no more.
BATCH = 20
LANES_OF_A_CONSUMER = len(Priority)


@dataclass(frozen=True)
class Addresses:
    """Where the servers are."""

    postgres_api: str
    postgres_pipeline: str
    redis: str
    kafka: str
    provider: str
    kafka_reports_lag: bool


@dataclass(frozen=True)
class Spec:
    """One worker: what it does, and what it does wrong. ``skew`` is how far its clock is ahead, in seconds."""

    role: str
    addresses: Addresses
    log: str
    tricks: tuple[str, ...] = ()
    death: wrongs.Death | None = None
    skew: float = 0.0


def work(spec: Spec, pipe: Connection | None = None) -> None:
    """A worker's life."""
    from faults.entry import main

    main(spec, pipe)


def forkserver() -> ForkServerContext:
    """Where processes come from: a server that has the pipeline loaded, so that a killed worker is back at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["faults.entry"])
    return context
