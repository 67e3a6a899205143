"""What a worker is told, and its way into a process of its own.

Nothing here loads the pipeline: that happens in the worker, with shortened times, which nobody else must see.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext

    from faults import tricks as wrongs

# Records that a consumer is handed at once from one lane.
BATCH = 20


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


def end_with_parent() -> None:
    """A run that is killed leaves nobody behind: a child of the fork server would work on for ever."""
    parent = multiprocessing.parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def forkserver() -> ForkServerContext:
    """Where processes come from: a server that has the pipeline loaded, so that a killed worker is back at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["faults.entry"])
    return context
