"""``python -m faults.measures rebuild --rows 1000000 --repeats 3``, ``python -m faults.measures outage``, or both."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from faults.machine import dump, machine
from faults.measures import outage, rebuild
from local.artefacts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.machine import Machine

REPORT = ROOT / ".local" / "faults-measures.json"


def main() -> int:
    given = _given(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {line}", flush=True)

    held = True
    with machine() as servers:
        for name in given.measures:
            document = _MEASURES[name](given, servers, tell)
            _write(name, document)
            print(dump({name: document}))
            held = held and document["held"]
    return 0 if held else 1


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults.measures", description=__doc__)
    parser.add_argument("measures", nargs="*", choices=[*_MEASURES], default=[*_MEASURES])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--outage", type=float, default=60.0, help="seconds")
    parser.add_argument("--rate", type=int, default=50, help="the integration's limit, a second")
    parser.add_argument("--burst", type=int, default=5)
    return parser.parse_args(arguments)


def _rebuild(given: argparse.Namespace, servers: Machine, tell: Callable[[str], None]) -> dict[str, Any]:
    found = rebuild.measure(servers, given.rows, given.repeats, tell)
    return {**found.document(), "held": found.ratio >= rebuild.TARGET}


def _outage(given: argparse.Namespace, servers: Machine, tell: Callable[[str], None]) -> dict[str, Any]:
    return outage.measure(servers, outage.Plan(given.outage, given.rate, given.burst), tell)


_MEASURES = {"rebuild": _rebuild, "outage": _outage}


def _write(name: str, document: dict[str, Any]) -> None:
    """Beside what the other measure found."""
    REPORT.parent.mkdir(exist_ok=True)
    known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(dump({**known, name: document}))


if __name__ == "__main__":
    sys.exit(main())
