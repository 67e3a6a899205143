"""The stand-in broker, smoke-tested: where there is no Java, a newcomer's first notification arrives all the same."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from local import artefacts
from local.ports import Ports, variable
from tests.e2e.conftest import Stack, local
from tests.e2e.test_sending import email


def test_on_tansu_a_notification_that_fails_once_is_sent():
    with tempfile.TemporaryDirectory(prefix="nofy-tansu-") as folder:
        Path(folder).chmod(0o755)
        ports = {variable(each): "0" for each in Ports.__dataclass_fields__}
        environment = {**os.environ, **ports, "KAFKA": "tansu", "NOFY_LOCAL_DIR": f"{folder}/stack"}
        subprocess.run([str(artefacts.PYTHON), "-m", "local.setup"], cwd=artefacts.ROOT, env=environment, check=True)
        try:
            local(environment, "up")
            stack = Stack(Path(folder) / "stack", environment)
            seen = stack.ended(stack.send(email("ada+503x1@example.com", priority="high")))
            stack.database.close()
        finally:
            local(environment, "down")
    assert seen["status"] == "sent"
    assert len(seen["deliveries"][0]["attempts"]) == 2
