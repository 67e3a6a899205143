"""``make faults``, or ``python -m faults --seed 7 --kills 200 --n 10000 --cases redis_emptied``."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time

from faults.cases import CASES
from faults.machine import dump, machine
from faults.run import Plan, Result, run
from local.artefacts import ROOT

REPORT = ROOT / ".local" / "faults.json"


def main() -> int:
    plan = _plan(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {line}", flush=True)

    tell(f"seed {plan.seed}: {len(plan.cases)} cases, then {plan.kills} kills and {plan.notifications} notifications")
    with machine() as servers:
        tell(f"PostgreSQL, Redis and Kafka ({servers.kafka_kind}) are up")
        result = run(plan, servers, tell)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(dump(result.document()))
    _show(result)
    if result.problems:
        print(f"\nreplay: make faults SEED={plan.seed} KILLS={plan.kills} N={plan.notifications}", file=sys.stderr)
    return 1 if result.problems else 0


def _plan(arguments: list[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--n", type=int, default=10_000, help="notifications of the loop")
    parser.add_argument("--cases", nargs="*", choices=[*CASES], default=[*CASES], help="none: only the loop")
    parser.add_argument("--patience", type=float, default=None, help="seconds in which work must end")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    return Plan(seed, given.kills, given.n, tuple(given.cases), patience=given.patience)


def _show(result: Result) -> None:
    print()
    for name, value in result.document().items():
        if name == "cases":
            print(f"  {'cases':18} {sum(value.values())} of {len(value)} passed")
        else:
            print(f"  {name:18} {value}")
    print(f"  {'seconds':18} {result.seconds:.0f}")
    for each in result.problems:
        print(f"\n{each}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
