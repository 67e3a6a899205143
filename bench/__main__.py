"""``python -m bench``: every case. ``python -m bench P3 P5``: some. ``python -m bench report``: write the pages again.

What a case finds is kept in ``bench/results/latest.json`` beside what other cases found before, and shown in
``docs/performance.md``. It judges nothing: a target that is missed is told, and the exit status stays 0.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import TYPE_CHECKING

from bench import results
from bench.cases import CASES
from bench.course import Course
from local.setup import SetupError

if TYPE_CHECKING:
    from bench.finding import Finding


def main() -> int:
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)

    try:
        with Course(tell, asked.repeats) as course:
            for name in asked.cases:
                if name != "report":
                    _run(name, course)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    tell(f"written: {results.publish()}")
    return 0


def _run(name: str, course: Course) -> None:
    case = CASES[name]
    course.tell(f"{name}: {case.says}")
    found = case.measure(course)
    results.keep(name, found)
    for each in found:
        course.tell(line(each))


def line(finding: Finding) -> str:
    verdict = f"{finding.ratio:.3g}x of {finding.target}" if finding.target else ""
    missed = "" if finding.met else "  MISSED"
    return f"  {finding.what}: {finding.ours:.4g} {finding.unit}  {verdict}{missed}"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, "report"], default=[*CASES], metavar="CASE")
    parser.add_argument("--repeats", type=int, default=3, help="how often each side of a case takes its turn")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
