"""The peers' own virtual environment, made at first use: their pins are nobody else's business."""

from __future__ import annotations

import sys

from local.artefacts import BUILD, ROOT, UV
from local.environment import clean_environment
from local.progress import Progress
from local.setup import Step, fresh, only_one_setup, run, set_up, uv_sync

PEERS = BUILD / "peers"
PYTHON = PEERS / "bin" / "python"
REQUIREMENTS = ROOT / "bench" / "peers" / "requirements-peers.txt"


def build() -> None:
    run(UV, "venv", "--python", sys.executable, fresh(PEERS))
    uv_sync(PEERS, REQUIREMENTS)


def prepare() -> None:
    """Build it where its pins have changed; :class:`local.setup.SetupError` where that fails."""
    with only_one_setup():
        set_up(Progress(), [Step("celery, dramatiq and procrastinate, for the bench", (REQUIREMENTS,), PYTHON, build)])


def environment(**more: str) -> dict[str, str]:
    """For a process of a peer's: this repository's ``bench.peers`` is importable, and nothing of the user's."""
    return {**clean_environment(), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}
