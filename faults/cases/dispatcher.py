"""The dispatcher dies, is not alone, or cannot hand everything over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.cases.steps import MANY, dies_at, misbehaving
from faults.tricks import Death

if TYPE_CHECKING:
    from faults.bench import Bench


def dispatcher_killed_after_claim(bench: Bench) -> None:
    dies_at(bench, "dispatcher", Death("PostgresDispatches.waiting"))


def dispatcher_killed_after_produce(bench: Bench) -> None:
    """Before it marked anything: claimed and produced again under the same fences."""
    dies_at(bench, "dispatcher", Death("PostgresDispatches.mark_queued"))


def two_dispatchers(bench: Bench) -> None:
    bench.fleet.start("dispatcher.2", "dispatcher.3")
    promised = [each for _ in range(3) for each in bench.accept(MANY)]
    bench.expect_sent(promised)
    for name in ("dispatcher.2", "dispatcher.3"):
        bench.fleet.kill(name)


def produce_fails_for_part_of_a_batch(bench: Bench) -> None:
    misbehaving(bench, ("dispatcher",), "fault_produce_fails_in_part")
