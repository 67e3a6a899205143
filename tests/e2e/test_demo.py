"""``make demo``, as a newcomer runs it: from nothing, it ends well, and says where to look next."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import artefacts
from local.ports import Ports, variable

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 180


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A stack of its own: what the demo sends would be in others' ledgers."""
    with tempfile.TemporaryDirectory(prefix="nofy-demo-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as somebody else where we are root
        ports = {variable(each): "0" for each in Ports.__dataclass_fields__}
        its = {**os.environ, **ports, "NOFY_LOCAL_DIR": f"{folder}/stack"}
        try:
            yield its
        finally:
            run("local", its, "down")


def run(module: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(artefacts.PYTHON), "-m", module, *arguments]
    return subprocess.run(
        command,
        cwd=artefacts.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_a_newcomer_sees_a_dozen_notifications_end_as_they_should(environment: dict[str, str]):
    done = run("local.demo", environment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "every notification ended as it should" in done.stdout
    made = json.loads((Path(environment["NOFY_LOCAL_DIR"]) / "stack.json").read_text())
    for address in ("dashboard_url", "inbox_url"):
        assert made[address] in done.stdout
