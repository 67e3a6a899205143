"""Where the things built once by ``make setup`` lie; shared by every stack on the machine, standard library only.

They are apart from a stack's own directory (``NOFY_LOCAL_DIR``), so ``make down`` never costs a new setup and
two stacks can run side by side.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".local" / "build"

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
CDK = ROOT / "node_modules" / ".bin" / "cdk"

MINISTACK = BUILD / "ministack"
TANSU = BUILD / "tansu"
REDIS_WHEEL = BUILD / "redis"
KAFKA_JARS = BUILD / "kafka"
KAFKA_READY = BUILD / "kafka-ready"
KAFKA_CLASSES = KAFKA_READY / "classes.jsa"
DEPS_LAYER = BUILD / "deps"
LOCAL_LAYER = BUILD / "layer"
DASHBOARD = BUILD / "dashboard"
DASHBOARD_SOURCE = ROOT / "dashboard"
NOFY_PACKAGE = ROOT / "layers" / "nofy" / "python"

# What the child processes see as home: jsii keeps its unpacked copy of the CDK there (3 s a deploy saved), and
# nothing finds the user's AWS profiles.
HOME = BUILD / "home"


def site_packages(venv: Path) -> Path:
    """The folder of a virtual environment that was made by the interpreter now running."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))
