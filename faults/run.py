"""A run: the cases, then the loop, then the figures."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from faults import cases, fleet
from faults.bench import Bench
from faults.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.machine import Machine
    from faults.verdict import Verdict

CASE_PATIENCE_SECONDS = 60.0
LOOP_PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class Plan:
    """What to run. ``sabotage``: guards that every worker goes without (:mod:`faults.tricks`)."""

    seed: int
    kills: int
    notifications: int
    cases: tuple[str, ...] = tuple(cases.CASES)
    sabotage: tuple[str, ...] = ()
    patience: float | None = None


@dataclass(frozen=True)
class Result:
    """What it came to; ``problems`` is empty where all that must hold did."""

    verdict: Verdict
    kills: int
    seed: int
    cases: dict[str, bool]
    problems: tuple[str, ...]
    seconds: float

    def document(self) -> dict[str, Any]:
        """``.local/faults.json``."""
        figures = asdict(self.verdict)
        figures.pop("violations")
        return {**figures, "kills": self.kills, "seed": self.seed, "cases": self.cases}


def run(plan: Plan, machine: Machine, tell: Callable[[str], None]) -> Result:
    machine.clean()
    began = time.monotonic()
    problems: list[str] = []
    passed: dict[str, bool] = {}
    with fleet.running(machine, plan.sabotage) as workers:
        bench = Bench(machine, workers, plan.patience or CASE_PATIENCE_SECONDS)
        for name in plan.cases:
            found = _case(bench, name, tell)
            passed[name] = not found
            problems += [f"{name}: {each}" for each in found]
        bench.patience = plan.patience or LOOP_PATIENCE_SECONDS
        before = workers.kills + bench.server_kills
        Loop(bench, plan.seed, plan.kills, plan.notifications, tell).run()
        kills = workers.kills + bench.server_kills - before
        bench.skew = 5.0 if "clocks_five_seconds_apart" in plan.cases else 0.0
        verdict = bench.verdict(bench.promised)
        tell(f"{kills} kills: {verdict.duplicates} duplicates, where {verdict.duplicate_bound} may have been")
        problems += verdict.violations
        for reason, count in bench.reasons():
            tell(f"failed: {count} {reason}")
        if problems:
            problems += workers.tails()
    return Result(verdict, kills, plan.seed, passed, tuple(problems), time.monotonic() - began)


def _case(bench: Bench, name: str, tell: Callable[[str], None]) -> list[str]:
    """What was wrong with it."""
    began = time.monotonic()
    known = {each.delivery_id for each in bench.promised}
    bench.skew = 0.0
    try:
        cases.CASES[name](bench)
        found: list[str] = []
    except AssertionError as error:
        found = [str(error) or "an assertion without words"]
        _mend(bench)
    new = [each for each in bench.promised if each.delivery_id not in known]
    if new:
        if not found:
            bench.settle(new)
        found += bench.verdict(new).violations
    word = "passed" if not found else "FAILED"
    tell(f"{word}  {name} ({time.monotonic() - began:.1f} s)")
    for each in found:
        tell(f"        {each}")
    return found


def _mend(bench: Bench) -> None:
    """A case that broke off may have left anything behind."""
    for server in bench.machine.servers.values():
        if not server.ready():
            server.start()
    with bench.machine.redis() as redis:
        redis.config_set("maxmemory", "0")
    bench.fleet.close()
    bench.fleet.start(*fleet.ROLES)
