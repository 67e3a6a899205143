"""The process that plays Slack, Brevo and WhatsApp, and shows what it was sent on its inbox page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import artefacts, processes
from local.environment import clean_environment
from local.ministack import responds
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import Home, Record

READY_SECONDS = 15.0


def start(home: Home, port: int) -> Record:
    address = ("--host", LOOPBACK, "--port", str(port))
    command: list[str | Path] = [
        artefacts.PYTHON,
        "-m",
        "local.simulators",
        *address,
        "--state-dir",
        str(home.data / "simulators"),
    ]
    env = {**clean_environment(), "PYTHONPATH": str(artefacts.ROOT)}
    return processes.start(home, "simulators", command, env)


def finish(home: Home, inbox_url: str, record: Record) -> None:
    processes.wait_until(lambda: answers(inbox_url), home, record, READY_SECONDS)


def answers(inbox_url: str) -> bool:
    return responds(f"{inbox_url}/health")
