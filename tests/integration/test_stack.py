"""A whole stack beside any that runs: brought up, deployed again, killed, brought up again, taken down."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from local import artefacts, processes
from local.ports import Ports, variable
from local.processes import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Beside:
    """The verbs, on a directory and ports of their own, in the environment of somebody who has an AWS profile."""

    def __init__(self, directory: Path) -> None:
        self.home = Home(directory)
        self.environment = {
            **os.environ,
            "NOFY_LOCAL_DIR": str(directory),
            **{variable(each.name): "0" for each in fields(Ports)},
            "AWS_PROFILE": "production",
            "AWS_ACCESS_KEY_ID": "AKIAREAL",
        }

    def verb(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(artefacts.PYTHON), "-m", "local", *arguments],
            cwd=artefacts.ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def up(self) -> dict[str, Any]:
        done = self.verb("up")
        assert done.returncode == 0, done.stdout + done.stderr
        described: dict[str, Any] = json.loads((self.home.root / "stack.json").read_text())
        return described


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    beside = Beside(tmp_path_factory.mktemp("beside") / "stack")
    try:
        yield beside
    finally:
        beside.verb("down")


def accepts(described: dict[str, Any]) -> bool:
    request = urllib.request.Request(
        f"{described['api_url']}/v1/notifications?limit=1",
        headers={"Authorization": f"Bearer {described['api_token']}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status == 200


def test_a_stack_lives_through_deploys_and_kills_and_leaves_nothing(stack: Beside):
    first = stack.up()
    assert accepts(first)
    assert (stack.home.root / "stack.json").stat().st_mode & 0o077 == 0
    assert stack.verb("status").returncode == 0

    again = stack.up()
    assert (again["api_token"], again["project_id"]) == (first["api_token"], first["project_id"])
    assert accepts(again)

    for record in processes.records(stack.home):
        os.kill(record.pid, signal.SIGKILL)
    status = stack.verb("status")
    assert status.returncode == 1
    assert "DOWN" in status.stdout

    third = stack.up()
    assert third["api_token"] != first["api_token"]
    assert accepts(third)

    logs = stack.verb("logs", "migrate")
    assert "migrated" in logs.stdout
    assert "there are" in stack.verb("logs", "no-such-function").stderr

    assert stack.verb("down").returncode == 0
    assert stack.verb("down").returncode == 0
    assert list(processes.marked(stack.home)) == []
    assert list(stack.home.root.iterdir()) == []


def test_a_make_up_that_was_killed_half_way_does_not_block_the_next(stack: Beside):
    half = subprocess.Popen(
        [str(artefacts.PYTHON), "-m", "local", "up"],
        cwd=artefacts.ROOT,
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        assert half.stdout is not None
        assert b"starting" in half.stdout.read(20)
        refused = stack.verb("up")
        assert refused.returncode == 1
        assert "another make up or make down is at work" in refused.stderr
    finally:
        half.kill()
        half.communicate()
    assert stack.verb("down").returncode == 0
    assert list(processes.marked(stack.home)) == []


def test_a_taken_port_is_one_clear_line(stack: Beside):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        refused = stack.verb("up", PORT_AWS=taken)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"error: already in use by another program: port {taken} (PORT_AWS); set the variable to another port"
    ]
