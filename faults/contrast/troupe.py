"""Celery's processes: one worker a channel and the producing application, killed with -9 and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import psutil

from faults.contrast.environment import PYTHON, environment
from faults.contrast.settings import CHANNELS, CONCURRENCY

if TYPE_CHECKING:
    import random
    from pathlib import Path

READY_SECONDS = 60.0


class PublisherGoneError(Exception):
    """It died before it answered: whoever asked does not know what became of the request."""


@dataclass
class Troupe:
    """Everything of Celery's that runs. ``where``: the variables that tell its processes the servers' addresses."""

    folder: Path
    where: dict[str, str]
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    publisher: subprocess.Popen[bytes] | None = None
    exits: int = 0  # workers that ended by themselves

    def start(self) -> None:
        for channel in CHANNELS:
            self.start_worker(channel)
        self.start_publisher()
        for channel in CHANNELS:
            self.await_ready(channel)

    def start_worker(self, channel: str) -> None:
        self._ready(channel).unlink(missing_ok=True)
        options = ["--loglevel", "WARNING", "--pool", "prefork", "--concurrency", str(CONCURRENCY)]
        # Neither changes what is delivered; asking the other workers who they are takes a second of every start.
        options += ["--without-gossip", "--without-mingle"]
        command = ["-m", "celery", "-A", "faults.contrast.tasks", "worker", "-Q", channel, "-n", f"{channel}@contrast"]
        self.workers[channel] = self._start(channel, [*command, *options])

    def start_publisher(self) -> None:
        self.publisher = self._start("publisher", ["-m", "faults.contrast.publisher"], talks=True)

    def _start(self, name: str, command: list[str], *, talks: bool = False) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with self._log(name) as log:
            return subprocess.Popen(  # noqa: S603  # (our own words)
                [PYTHON, *command],
                cwd=self.folder,
                env=environment(**self.where, CONTRAST_READY=str(self._ready(name))),
                stdin=pipe,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                start_new_session=True,
            )

    def await_ready(self, channel: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready(channel).exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker of {channel} did not start")
            time.sleep(0.05)

    def kill_worker(self, channel: str) -> None:
        """With its children, as a machine that goes; then it is started again."""
        _kill(self.workers[channel])
        self.start_worker(channel)
        self.await_ready(channel)

    def supervise(self) -> None:
        """As systemd would: what has ended by itself is started again."""
        for channel, process in list(self.workers.items()):
            if process.poll() is not None:
                self.exits += 1
                self.kill_worker(channel)

    def start_anew(self) -> None:
        for channel in CHANNELS:
            self.kill_worker(channel)

    def kill_child(self, channel: str, chance: random.Random) -> bool:
        """One process of the pool, as the kernel does where memory is short. The worker makes another one."""
        with suppress(psutil.Error):
            children = psutil.Process(self.workers[channel].pid).children()
            if children:
                chance.choice(children).kill()
                return True
        return False

    def kill_publisher(self) -> None:
        assert self.publisher
        _kill(self.publisher)
        self.start_publisher()

    def ask(self, request: dict[str, Any]) -> bool:
        """Whether it was accepted; :class:`PublisherGoneError` when it dies meanwhile."""
        publisher = self.publisher
        assert publisher
        assert publisher.stdin
        assert publisher.stdout
        try:
            publisher.stdin.write(json.dumps(request).encode() + b"\n")
            publisher.stdin.flush()
            line = publisher.stdout.readline()
        except (OSError, ValueError) as error:
            raise PublisherGoneError(repr(error)) from error
        if not line:
            raise PublisherGoneError("no answer")
        return bool(json.loads(line)["accepted"])

    def close(self) -> None:
        for each in (*self.workers.values(), *([self.publisher] if self.publisher else [])):
            _kill(each)

    def _ready(self, name: str) -> Path:
        return self.folder / f"{name}.ready"

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("ab")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The whole group, while its leader is there to name it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):  # what was not yet written has nobody to go to
                stream.close()
