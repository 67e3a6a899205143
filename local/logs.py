"""``make logs``: what servers and functions said, as files in ``logs/`` and on the terminal.

Servers write theirs themselves. A function's lines reach its CloudWatch log group when an invocation ends; they
are fetched from there into ``logs/functions/<name>.log`` each time somebody asks.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local import ministack
from local.environment import isolate
from local.sessions import emulated
from local.stack import STAGE, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = f"nofy-{STAGE}-"
SHOWN_LINES = 20


class LogError(Exception):
    """There is no such log; the message lists those there are."""


def collect(stack: Stack) -> list[Path]:
    """Bring the functions' files up to date, if the emulator answers, and return every log of the stack."""
    if ministack.answers(stack.aws_endpoint_url):
        isolate(os.environ, stack.aws_endpoint_url)
        _fetch_functions(stack.home.logs / "functions")
    return sorted(stack.home.logs.rglob("*.log"))


def show(stack: Stack, name: str | None) -> str:
    """The whole log of one function or server, or the end of each."""
    paths = collect(stack)
    if name is None:
        return "\n".join(_end_of(path, stack) for path in paths)
    for path in paths:
        if path.stem == name:
            return path.read_text(errors="replace")
    raise LogError(f"no log named {name}; there are {', '.join(path.stem for path in paths)}")


def _end_of(path: Path, stack: Stack) -> str:
    lines = path.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    return "\n".join((f"==> {path.relative_to(stack.directory)} <==", *lines, ""))


def _fetch_functions(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    session = emulated()
    client = session.client("logs")
    for name, group in _groups(session.client("lambda")):
        text = "".join(f"{line}\n" for line in _lines(client, group))
        (folder / f"{name}.log").write_text(text)


def _groups(client: Any) -> Iterator[tuple[str, str]]:
    """Each function of the stage with its log group."""
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            if name.startswith(PREFIX):
                group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
                yield name.removeprefix(PREFIX), group


def _lines(client: Any, group: str) -> Iterator[str]:
    try:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield f"{moment:%H:%M:%S.%f} {event['message'].rstrip()}"
    except client.exceptions.ResourceNotFoundException:
        return
