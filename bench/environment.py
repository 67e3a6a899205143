"""The bench's own virtual environment, made at first use: what Lambda brings to a function is none of the product's."""

from __future__ import annotations

import sys

from local.artefacts import BUILD, ROOT, UV
from local.progress import Progress
from local.setup import Step, fresh, only_one_setup, run, set_up, uv_sync

BENCH = BUILD / "bench"
PYTHON = BENCH / "bin" / "python"
REQUIREMENTS = ROOT / "bench" / "requirements-bench.txt"


def build() -> None:
    run(UV, "venv", "--python", sys.executable, fresh(BENCH))
    uv_sync(BENCH, REQUIREMENTS)


def prepare() -> None:
    """Build it where its pins have changed; :class:`local.setup.SetupError` where that fails."""
    with only_one_setup():
        set_up(Progress(), [Step("lambda's runtime client, for the bench", (REQUIREMENTS,), PYTHON, build)])
