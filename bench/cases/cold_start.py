"""P8: the cold start of every function through Lambda's own runtime client: ``python -m bench.cases.cold_start``.

A fresh process of ``python -m awslambdaric`` for every run, on a Runtime API of our own (``bench/runtime_api.py``):

- *init* is the time from the process's start until it asks for its first invocation: the interpreter, the runtime
  client, the handler's import, and what it loads ahead (``runtime/initialization.py``). "nothing" is a handler without
  a line, which is what Lambda's runtime needs by itself; "import boto3" is one that imports it.
- *first invoke* is the time from handing over the first event until its answer, where there is something to be asked
  without servers: the producer accepts a notification (``bench/first_request.py``); others refuse a request, are given
  an empty batch, or try a database that refuses connections.

Third-party modules come from the layer that ``make setup`` builds for this machine, boto3 from beside the runtime
client, as in Lambda; bytecode is found by both (see ``bench/cases/imports.py``). Two things are not as there: there is
no network between a function and its servers, and a processor is whole all the time. Lambda gives the init phase a
whole one, and then ``memory / 1769`` of one, so the last figures say what a caller would wait for with 512 MB: init +
first invoke * 1769 / 512. That is arithmetic, not a measurement on Lambda.
"""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cases.imports import FUNCTIONS, ROOT, environment, folders
from bench.environment import PYTHON, prepare
from bench.finding import Finding
from bench.runtime_api import Answer, ColdStart, ColdStartError, cold_start
from local.artefacts import DEPS_LAYER, NOFY_PACKAGE
from nofy.domain import tokens
from nofy.domain.tokens import Mode
from nofy.runtime.initialization import IN_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RUNS = 7
MEMORY, WHOLE_PROCESSOR = 512, 1769  # MB: the producer's (infra/functions.py), and what a whole vCPU comes with
_EVENTS = ROOT / "tests" / "events"
_FIRST_REQUEST = "bench.first_request.handler"
# What Lambda sets, and what signs requests without asking anybody.
_LAMBDA = {
    IN_LAMBDA: "on-demand",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY),
}
_NOTHING = "def handler(event, context):\n    return {}\n"


@dataclass(frozen=True)
class Life:
    """What is started, and what it is then asked; variables that are empty are not set."""

    folder: Path
    handler: str = "handler.handler"
    event: Mapping[str, Any] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, bytecode: Path) -> ColdStart:
        path = ":".join(map(str, (self.folder, NOFY_PACKAGE, DEPS_LAYER, ROOT)))
        variables = {**environment(bytecode, **_LAMBDA), "PYTHONPATH": path, **self.variables}
        told = {name: value for name, value in variables.items() if value}
        return cold_start(PYTHON, self.folder, self.handler, told, self.event)


def measure(tell: Callable[[str], None]) -> list[Finding]:
    """Init and first invoke of every function, then the producer's first notification, loaded ahead and not."""
    prepare()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for each in _findings(Path(folder)):
            tell(f"{each.what}: {each.ours:.0f} {each.unit}")
            found.append(each)
    return found


def _findings(scratch: Path) -> Iterator[Finding]:
    """All of them in turns, so that what else the machine does hits all alike."""
    yardsticks = {"nothing": _NOTHING, "import boto3": f"import boto3\n{_NOTHING}"}
    lives = {name: Life(_written(scratch / name, text)) for name, text in yardsticks.items()}
    lives |= {folder: Life(FUNCTIONS / folder, event=event_of(folder)) for folder in folders()}
    for name, runs in zip(lives, _in_turns(list(lives.values()), scratch / "bytecode"), strict=True):
        yield Finding.told("P8", f"init of {name}", _inits(runs), "ms")
        if runs[0].answer is not None:
            yield Finding.told("P8", f"first invoke of {name}", _first_invokes(runs), "ms", _how(runs[0].answer))
    yield from _first_notifications(scratch / "bytecode")


def _first_notifications(bytecode: Path) -> Iterator[Finding]:
    """With and without what the init phase loads ahead: the same work, before the request or within it."""
    ways: dict[str, dict[str, str]] = {"loaded ahead": {}, "loaded by the request": {IN_LAMBDA: ""}}
    lives = [Life(FUNCTIONS / "producer", _FIRST_REQUEST, _post(), each) for each in ways.values()]
    for way, runs in zip(ways, _in_turns(lives, bytecode), strict=True):
        _accepted(runs)
        inits, invokes = _inits(runs), _first_invokes(runs)
        both = [init + invoke * WHOLE_PROCESSOR / MEMORY for init, invoke in zip(inits, invokes, strict=True)]
        yield Finding.told("P8", f"producer, {way}: init", inits, "ms")
        yield Finding.told("P8", f"producer, {way}: first notification", invokes, "ms")
        yield Finding.told("P8", f"producer, {way}: both, by the processor's share of {MEMORY} MB", both, "ms")


def _in_turns(lives: list[Life], bytecode: Path) -> list[list[ColdStart]]:
    """Each life's runs; the first of each only fills the bytecode's folder."""
    rounds = [[each.run(bytecode) for each in lives] for _ in range(RUNS + 1)]
    return [list(runs) for runs in zip(*rounds[1:], strict=True)]


def event_of(folder: str) -> dict[str, Any] | None:
    """What can be asked of a function without servers; None where nothing can."""
    match folder:
        case "acks" | "consumer" | "dlq":
            stem = {"acks": "msk_acks", "consumer": "msk_deliveries", "dlq": "msk_dlq"}[folder]
            return _event(stem)
        case "console":
            return _event("api_get_notifications") | {"path": "/v1/me"}
        case "producer":
            return _event("api_get_notifications")
        case "session":
            return _event("api_post_notification") | {"path": "/v1/session", "body": '{"jwt": "a.b.c"}'}
        case _:
            return None


def _post() -> dict[str, Any]:
    token = tokens.generate(Mode.LIVE, random.Random(8).choice)  # noqa: S311  # nobody's, and known to nobody
    return _event("api_post_notification") | {"headers": {"Authorization": f"Bearer {token}"}}


def _event(name: str) -> dict[str, Any]:
    return dict(json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8")))


def _written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "handler.py").write_text(text, encoding="utf-8")
    return folder


def _inits(runs: list[ColdStart]) -> list[float]:
    return [each.init_seconds * 1_000 for each in runs]


def _first_invokes(runs: list[ColdStart]) -> list[float]:
    return [each.answer.seconds * 1_000 for each in runs if each.answer is not None]


def _how(answer: Answer) -> str:
    """A status, or the kind of the error."""
    if answer.failed:
        return f"fails with {answer.document['errorType']}: there is no server"
    return f"answers {answer.document.get('statusCode', 'that all is done')}"


def _accepted(runs: list[ColdStart]) -> None:
    """ColdStartError where one was not: then another time was measured than that of an accepted notification."""
    for each in runs:
        if each.answer is None or each.answer.document.get("statusCode") != 202:
            raise ColdStartError(f"the notification was not accepted: {each.answer}")


def main() -> None:
    measure(lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
