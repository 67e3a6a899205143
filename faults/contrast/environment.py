"""Celery's own virtual environment, made at first use: its pins are nobody else's business."""

from __future__ import annotations

import sys

from local.artefacts import BUILD, ROOT, UV
from local.environment import clean_environment
from local.progress import Progress
from local.setup import Step, fresh, only_one_setup, run, set_up, uv_sync

CELERY = BUILD / "celery"
PYTHON = CELERY / "bin" / "python"
REQUIREMENTS = ROOT / "faults" / "requirements-celery.txt"


def build() -> None:
    run(UV, "venv", "--python", sys.executable, fresh(CELERY))
    uv_sync(CELERY, REQUIREMENTS)


def prepare() -> None:
    """Build it where its pins have changed; :class:`local.setup.SetupError` where that fails."""
    with only_one_setup():
        set_up(Progress(), [Step("celery, for contrast", (REQUIREMENTS,), PYTHON, build)])


def environment(**more: str) -> dict[str, str]:
    """For a process of Celery's: this repository's ``faults.contrast`` is importable, and nothing of the user's."""
    return {**clean_environment(), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}
