"""The cases, one module each: what is measured, against what, and how."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.course import Course
    from bench.finding import Finding


@dataclass(frozen=True)
class Case:
    """``module`` below this package has ``measure(course)``; loaded when it is its turn."""

    says: str
    module: str

    def measure(self, course: Course) -> list[Finding]:
        found: list[Finding] = import_module(f"{__name__}.{self.module}").measure(course)
        return found


CASES: dict[str, Case] = {
    "P1": Case("throughput, beside Celery, dramatiq and procrastinate", "throughput"),
    "P2": Case("a provider that takes 50 ms and 32 calls at once", "slow_provider"),
    "P3": Case("accept, one by one, over a raw INSERT", "accept"),
    "P4": Case("accept in batches of a hundred over one by one", "accept_batch"),
    "P5": Case("lateness of scheduled items at 50/s, beside dramatiq", "lateness"),
    "P6": Case("the cost of a claim at 10^7 scheduled over 10^5, and what Redis holds", "claim"),
    "P7": Case("round trips per 1,000 deliveries", "round_trips"),
    "P8": Case("import and cold start of every function", "start"),
    "P9": Case("a high priority's wait behind 100,000 low ones", "priority"),
    "P10": Case("a quiet project's wait beside a busy one in the same lane", "fairness"),
    "soak": Case("an hour's messages at a steady rate", "soak"),
    "times": Case("service times, for the simulation", "service_times"),
}
