"""One whole stack for the session, beside any other that runs, and what a user of it has: an address and a token."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import artefacts
from local.client import Client
from local.ports import Ports, variable
from nofy.adapters.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIVE = {"scheduled", "queued", "sending", "retrying", "held"}
# A cold start of every function is in it; a delivery that has not ended by then will not.
PATIENCE = 90.0


class Stack:
    """A running stack and its clients."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment
        self.made: dict[str, str] = json.loads((directory / "stack.json").read_text())
        self.api = Client(self.made["api_url"], self.made["api_token"])
        self.providers = Client(self.made["inbox_url"], "")
        self.database = Database(self.made["postgres_dsn"], application="e2e")

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.api.post("/v1/notifications", request)

    def read(self, notification: dict[str, Any]) -> dict[str, Any]:
        return self.api.get(notification["links"]["self"])

    def ended(self, notification: dict[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
        """The notification once nothing will happen to it by itself any more."""
        return wait_for(lambda: self._if_ended(notification), patience)

    def _if_ended(self, notification: dict[str, Any]) -> dict[str, Any] | None:
        seen = self.read(notification)
        return None if seen["status"] in LIVE else seen

    def calls(self, recipient: str) -> list[dict[str, Any]]:
        """What the provider saw, from its own ledger."""
        return [each for each in self.providers.call_list("/_control/ledger") if each["recipient"] == recipient]

    def operator(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """The operator's command line, as a person would run it."""
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.made["aws_endpoint_url"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        command = [str(artefacts.PYTHON), "-m", "nofy.runtime.operator", "--stage", "local", *arguments]
        done = subprocess.run(
            command, input=stdin, env=environment, cwd=artefacts.ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def wait_for(look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first answer that is not None (or False)."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def local(environment: dict[str, str], *verb: str) -> None:
    done = subprocess.run(
        [str(artefacts.PYTHON), "-m", "local", *verb],
        cwd=artefacts.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="nofy-e2e-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else where we are root
        ports = {variable(each): "0" for each in Ports.__dataclass_fields__}
        environment = {**os.environ, **ports, "NOFY_LOCAL_DIR": f"{folder}/stack"}
        try:
            local(environment, "up")
            running = Stack(Path(folder) / "stack", environment)
            yield running
            running.database.close()
        finally:
            local(environment, "down")
