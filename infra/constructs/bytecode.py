"""The layers' bytecode, made where an interpreter of the runtime's version is at hand.

/opt is read-only in Lambda: a module that comes without bytecode is compiled at every cold start (docs/adr/0009 says
what that costs). Another version's bytecode is ignored by Python, so without that interpreter there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = "3.14"
WITH = f"The layers carry bytecode of Python {PYTHON}."
WITHOUT = f"The layers carry no bytecode: there is no Python {PYTHON} here, and each cold start compiles its modules."

# Bytecode changes until a version's release candidates, so a pre-release's may not be the runtime's.
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info.releaselevel)"


@cache
def interpreter() -> Path | None:
    """A Python of the runtime's version: on the PATH, or one that uv has installed."""
    return next((each for each in _candidates() if _fits(each)), None)


def compile_all(python: Path, folder: Path) -> None:
    """Beside every module below the folder, as if it lay in /opt.

    ``unchecked-hash``: what lies beside its source is taken for its bytecode, whatever the time stamps have become on
    the way through zip files. Nothing is written again in Lambda, and nothing could be.
    """
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    place = ["-s", str(folder), "-p", "/opt", str(folder)]
    subprocess.run([*command, *place], check=True, env=_without_python_variables())  # noqa: S603


def _candidates() -> Iterator[Path]:
    on_path = shutil.which(f"python{PYTHON}")
    if on_path:
        yield Path(on_path)
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv:
        command = [uv, "python", "find", "--no-python-downloads", PYTHON]
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if found.returncode == 0:
            yield Path(found.stdout.strip())


def _fits(python: Path) -> bool:
    """Whether it is what its name says: version managers put names on the PATH behind which there is nothing."""
    command = [str(python), "-I", "-c", _VERSION]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.stdout.split() == [PYTHON, "final"]


def _without_python_variables() -> dict[str, str]:
    """PYTHONPYCACHEPREFIX, for one, would have the bytecode written elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
