"""``python -m faults.contrast --seed 7 --kills 200 --n 10000 --variants as_nofy``."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import time
from typing import Any

from faults.contrast.environment import prepare
from faults.contrast.run import VARIANTS, Result, document, run
from faults.machine import dump, machine
from local.artefacts import ROOT
from local.setup import SetupError

REPORT = ROOT / ".local" / "faults-celery.json"
FIGURES = (
    "kills accepted sent failed lost left_in_the_broker never_called unrecorded provider_calls duplicates"
    " duplicates_at_brevo"
).split()


def main() -> int:
    given = _given(sys.argv[1:])
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    try:
        prepare()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f}  {line}", flush=True)

    results: list[Result] = []
    with machine() as servers:
        for variant in given.variants:
            tell(f"{variant}: {VARIANTS[variant].says}; seed {seed}")
            results.append(run(variant, seed, given.kills, given.n, servers, tell))
            _write(document(results))
    _show(results)
    return 0


def _write(found: dict[str, Any]) -> None:
    """Beside what an earlier run found of other variants, unless it ran under other settings."""
    REPORT.parent.mkdir(exist_ok=True)
    known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    earlier = known["runs"] if known.get("settings") == found["settings"] else {}
    REPORT.write_text(dump({**found, "runs": {**earlier, **found["runs"]}}))


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults.contrast", description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--n", type=int, default=10_000, help="tasks of each variant")
    parser.add_argument("--variants", nargs="+", choices=[*VARIANTS], default=[*VARIANTS])
    return parser.parse_args(arguments)


def _show(results: list[Result]) -> None:
    """It reports and judges nothing: there is no figure that Celery would have to reach."""
    documents = [each.document() for each in results]
    print(f"\n  {'':20}" + "".join(f"{each.variant:>14}" for each in results))
    for name in (*FIGURES, "seconds"):
        print(f"  {name:20}" + "".join(f"{each[name]:>14}" for each in documents))


if __name__ == "__main__":
    sys.exit(main())
