"""The process that serves the dashboard and the API from one origin, as CloudFront does on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import artefacts, processes
from local.environment import clean_environment
from local.ministack import responds
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import Home, Record
    from local.stack import Stack

READY_SECONDS = 15.0


def start(stack: Stack, api_url: str) -> Record:
    """After a deploy: only then is it known where the API is."""
    command: list[str | Path] = [
        *(artefacts.PYTHON, "-m", "local.dashboard"),
        *("--host", LOOPBACK, "--port", str(stack.ports.dashboard), "--files", artefacts.DASHBOARD),
        *("--api", api_url, "--appwrite-endpoint", stack.sign_in.endpoint),
        *("--appwrite-project", stack.sign_in.project),
    ]
    return processes.start(stack.home, "dashboard", command, {**clean_environment(), "PYTHONPATH": str(artefacts.ROOT)})


def finish(home: Home, dashboard_url: str, record: Record) -> None:
    processes.wait_until(lambda: answers(dashboard_url), home, record, READY_SECONDS)


def answers(dashboard_url: str) -> bool:
    return responds(f"{dashboard_url}/config.json")
