"""P8: what each handler's import costs beside ``import boto3``: ``python -m bench.cases.imports``.

Each figure is the median of fresh processes, taken in turns (boto3, handler, boto3, handler ...) so that what else the
machine does hits both alike. Compare the ratios, not the times.

Both sides find their bytecode: PYTHONPYCACHEPREFIX names a folder that one run, which is not counted, fills. Without
it (PYTHONDONTWRITEBYTECODE is set on many a build machine) every import compiles every module anew, and what is
compared is how much source text there is. Lambda is in between: /opt and /var/task are read-only there, so a module
whose bytecode was not shipped is compiled at every cold start, and ours ship theirs where the deploy could compile
them (``infra/constructs/layers.py``). What that is worth is measured last, with the producer.

What is measured is ``import handler`` as any process does it. In Lambda's init phase the API's functions and the
senders go on to load what their first request surely needs (``runtime/initialization.py``): told besides, without a
target, and measured through Lambda's own runtime client in ``bench/cases/cold_start.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.finding import Finding
from nofy.runtime.initialization import IN_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
RUNS = 11
# Somebody waits for the producer and for a message; the rest is behind a queue, or used by the day.
TARGETS = {"producer": 1.0, "senders/slack": 1.0, "senders/brevo": 1.0, "senders/whatsapp": 1.0}
TARGET = 1.2
# Any values that can be read: nothing is connected to on import.
SETTINGS = {
    "POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "KAFKA_REPORTS_LAG": "true",
    "SENDER_FUNCTIONS": "{}",
    "VAULT_FUNCTION": "vault",
    "CREDENTIALS_KEY_ID": "key",
    "SIGNING_SECRET_ARN": "arn",
    "SIGNING_KEYS_BUCKET": "bucket",
    "CONSOLE_ISSUER": "bench",
    "SLACK_API_URL": "http://127.0.0.1:1",
    "BREVO_API_URL": "http://127.0.0.1:1",
    "WHATSAPP_API_URL": "http://127.0.0.1:1",
    "POWERTOOLS_SERVICE_NAME": "bench",
}
_TIMED = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"


def folders() -> list[str]:
    """Every function's, below ``functions/``."""
    return sorted(each.parent.relative_to(FUNCTIONS).as_posix() for each in FUNCTIONS.rglob("handler.py"))


def environment(bytecode: Path, **more: str) -> dict[str, str]:
    """A function's settings, and where its bytecode is found from the second process on."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "POWERTOOLS_"))}
    return mine | SETTINGS | {"PYTHONPYCACHEPREFIX": str(bytecode)} | more


def milliseconds(statement: str, folder: Path, variables: Mapping[str, str]) -> float:
    """One import in a fresh process."""
    command = [sys.executable, "-c", _TIMED.format(statement)]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure(tell: Callable[[str], None]) -> list[Finding]:
    """Every handler beside boto3, then the producer under other circumstances."""
    with tempfile.TemporaryDirectory() as bytecode:
        return list(_findings(Path(bytecode), tell))


def _findings(bytecode: Path, tell: Callable[[str], None]) -> Iterator[Finding]:
    warm = environment(bytecode)
    for folder in folders():
        ours, boto3 = _in_turns([("import handler", FUNCTIONS / folder, warm), ("import boto3", ROOT, warm)])
        found = Finding.at_most("P8", f"import of {folder}", ours, boto3, "ms", TARGETS.get(folder, TARGET))
        tell(f"{folder}: {found.ours:.0f} ms, boto3 {found.baseline:.0f} ms, {found.ratio:.2f}")
        yield found
    circumstances = _circumstances(bytecode)
    imports = [("import handler", FUNCTIONS / "producer", each) for each in circumstances.values()]
    for what, runs in zip(circumstances, _in_turns(imports), strict=True):
        yield Finding.told("P8", f"import of producer, {what}", runs, "ms")


def _circumstances(bytecode: Path) -> dict[str, dict[str, str]]:
    anew = {"PYTHONPYCACHEPREFIX": str(bytecode / "never-written"), "PYTHONDONTWRITEBYTECODE": "1"}
    ahead = {IN_LAMBDA: "on-demand"}
    return {
        "with bytecode": environment(bytecode),
        "without": environment(bytecode, **anew),
        "and what Lambda's init phase loads ahead, with bytecode": environment(bytecode, **ahead),
        "and what Lambda's init phase loads ahead, without": environment(bytecode, **anew, **ahead),
    }


def _in_turns(imports: Sequence[tuple[str, Path, Mapping[str, str]]]) -> list[list[float]]:
    """The runs of each; the first of each only fills the bytecode's folder."""
    rounds = [[milliseconds(*each) for each in imports] for _ in range(RUNS + 1)]
    return [list(runs) for runs in zip(*rounds[1:], strict=True)]


def main() -> None:
    for each in measure(lambda line: print(line, flush=True)):
        print(
            f"{each.what}: {each.ours:.0f} {each.unit}, {each.ratio:.2f} {each.target}{'' if each.met else ' MISSED'}"
        )


if __name__ == "__main__":
    main()
