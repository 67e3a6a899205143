"""Known vulnerabilities of what is depended on: ``make check`` asks, where there is anybody to ask.

pip-audit and npm ask services on the internet. A machine without them, or behind a mirror that has none, leaves the
question open: that is one line on the terminal and no failure. A vulnerability that somebody told of is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from local import artefacts

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the functions get, and what the programs on one machine are made of.
PYTHON = ("layers/deps/requirements.txt", "requirements.txt")
NODE = (".", "dashboard")
PATIENCE_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was told of one list of dependencies. ``found`` None: nobody could be asked."""

    asked: str
    found: tuple[str, ...] | None

    def __str__(self) -> str:
        if self.found is None:
            return f"left out, no advisory service answers here: {self.asked}"
        return f"{', '.join(self.found) or 'no known vulnerability'}: {self.asked}"


def main() -> int:
    """Print a line for each list; 1 if somebody knows of a vulnerability."""
    questions = [partial(of_python, each) for each in PYTHON] + [partial(of_node, each) for each in NODE]
    with ThreadPoolExecutor(len(questions)) as pool:
        verdicts = list(pool.map(lambda ask: ask(), questions))
    for each in verdicts:
        print(f"  {each}")
    return int(any(each.found for each in verdicts))


def of_python(requirements: str) -> Verdict:
    """Of pins with hashes, which pip-audit need not resolve."""
    command = f"pip-audit --disable-pip --require-hashes --requirement {requirements}".split()
    programs = artefacts.PYTHON.parent
    told = _told([str(programs / command[0]), *command[1:], "--format=json", "--timeout=5", "--progress-spinner=off"])
    return Verdict(" ".join(command), pip_findings(told))


def of_node(folder: str) -> Verdict:
    """Of a lock file, without installing what it names."""
    command = f"npm audit --prefix {folder}"
    return Verdict(command, npm_findings(_told([*command.split(), "--package-lock-only", "--json"])))


def pip_findings(told: Any) -> tuple[str, ...] | None:
    """``name version: advisories``; None where a dependency was not found, for then it was not looked at."""
    each = told.get("dependencies") if isinstance(told, dict) else None
    if not each or any("skip_reason" in one for one in each):
        return None
    return tuple(
        f"{one['name']} {one['version']}: {' '.join(vuln['id'] for vuln in one['vulns'])}"
        for one in each
        if one["vulns"]
    )


def npm_findings(told: Any) -> tuple[str, ...] | None:
    """``name (severity)`` of what is vulnerable itself; None where the registry has no advisories."""
    known = told.get("vulnerabilities") if isinstance(told, dict) and "error" not in told else None
    if not isinstance(known, dict):
        return None
    return tuple(f"{name} ({one['severity']})" for name, one in sorted(known.items()))


def _told(command: Sequence[str]) -> Any:
    """The command's JSON, whatever its exit code; None where it has none in time."""
    try:
        done = subprocess.run(
            command, cwd=artefacts.ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, OSError, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(main())
