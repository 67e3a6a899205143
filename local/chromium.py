"""The browser that the dashboard's tests run in: found where it is, or fetched from Debian where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
INSTALL_SECONDS = 600
HOW_TO_GET_ONE = "apt-get install chromium, or CHROMIUM=/path/to/one"


def found(environ: Mapping[str, str]) -> str | None:
    """The path of a browser that is there: ``CHROMIUM`` names one that is not on ``PATH``."""
    if named := environ.get("CHROMIUM"):
        return named if Path(named).exists() else None
    on_path = next((path for name in NAMES if (path := shutil.which(name))), None)
    return on_path or (str(MACS) if MACS.exists() else None)


def found_or_installed(environ: Mapping[str, str]) -> str | None:
    """The same, after asking Debian for it where we are root; ``NOFY_INSTALL_CHROMIUM=no`` forbids that."""
    known = found(environ)
    if known or os.geteuid() != 0 or not shutil.which("apt-get") or environ.get("NOFY_INSTALL_CHROMIUM") == "no":
        return known
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": INSTALL_SECONDS}
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]):
        if subprocess.run(command, check=False, env=settings, **quiet).returncode != 0:  # type: ignore[call-overload]
            return found(environ)
    return found(environ)
