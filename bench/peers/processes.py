"""A peer's processes: each in a group of its own with a log of its own, killed as a whole in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

READY_SECONDS = 60.0
TAIL_LINES = 15


class PeerError(Exception):
    """A peer did not do what it should in its time; the message ends with the last lines of its logs."""


@dataclass
class Processes:
    """Started in ``folder`` with the variables ``where``. In its folder ``ready`` the workers tell of themselves."""

    folder: Path
    where: Mapping[str, str]
    _running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def run(self, name: str, command: Sequence[str | Path]) -> None:
        """To its end."""
        self.start(name, command)
        try:
            code = self._running[name].wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            raise self.error(f"{name} did not do its work")
        del self._running[name]

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.where,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if name == "publisher" else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def await_ready(self, workers: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while len([*(self.folder / "ready").iterdir()]) < workers:
            self.alive()
            if time.monotonic() > deadline:
                raise self.error("the workers did not start")
            time.sleep(0.05)

    def alive(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise self.error(f"{name} ended with {process.returncode}")

    def order(self, order: Mapping[str, Any]) -> None:
        """To the publisher, in one line."""
        stream = self._running["publisher"].stdin
        assert stream
        try:
            stream.write(json.dumps(order) + "\n")
            stream.flush()
        except OSError as error:
            raise self.error("the publisher takes no orders") from error

    def answer(self) -> dict[str, Any]:
        """The publisher's; it has one by the time its notifications have been sent."""
        stream = self._running["publisher"].stdout
        assert stream
        line = stream.readline()
        if not line:
            raise self.error("the publisher ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def cpu_seconds(self) -> float:
        """What the workers and the publisher have used of the processors so far, with their children."""
        used = 0.0
        for process in self._running.values():
            with suppress(psutil.Error):
                root = psutil.Process(process.pid)
                times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
                used += sum(each.user + each.system for each in times)
        return used

    def error(self, problem: str) -> PeerError:
        tails = []
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            tails += [f"the end of {log}:", *(f"  {line}" for line in lines)] if lines else []
        return PeerError("\n".join([problem, *tails]))

    def close(self) -> None:
        """The groups, while their leaders are there to name them."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    with suppress(OSError):  # what was not yet written has nobody to go to
                        stream.close()
