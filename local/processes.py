"""Starting, watching and ending the stack's processes, so that nothing outlives it and nothing else is hit.

Each process leads a session of its own and has a record in ``run/`` (its id and the moment it was created). A
record alone proves nothing after a crash, since ids are used again: a process is only signalled when its
creation time matches, or when its environment carries this stack's mark, which children inherit and strangers
never have.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

MARK = "NOFY_LOCAL_STACK"
# Creation times come from clock ticks and the boot time, which a clock adjustment moves by up to a second.
SAME_MOMENT_SECONDS = 2.0
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.02

# Children of this very process, kept so that they can be reaped when they end.
_children: dict[int, subprocess.Popen[bytes]] = {}


class ProcessError(Exception):
    """A process ended, or never became ready; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Home:
    """Where the processes of one stack keep their records, logs and data."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def mark(self) -> str:
        return str(self.root.resolve())

    def create(self) -> None:
        for folder in (self.root, self.run, self.logs, self.data):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Account:
    """The system user a server runs as when we are root."""

    uid: int
    gid: int


def as_account(account: Account | None) -> dict[str, Any]:
    """The arguments of :class:`subprocess.Popen` that change the user, and drop our groups with it."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


@dataclass(frozen=True)
class Record:
    """What ``run/<name>.json`` says about a process."""

    name: str
    pid: int
    created: float
    stop_signal: int

    def process(self) -> psutil.Process | None:
        """The very process that was started, or None when it is gone, even if its id was used again."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < SAME_MOMENT_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def start(
    home: Home,
    name: str,
    command: Sequence[str | Path],
    env: Mapping[str, str],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
) -> Record:
    """Start ``command`` in a session of its own, its output in ``logs/<name>.log``."""
    home.create()
    with (home.logs / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            [str(part) for part in command],
            env={**env, MARK: home.mark},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **as_account(account),
        )
    _children[child.pid] = child
    record = Record(name, child.pid, _created(child.pid), stop_signal)
    (home.run / f"{name}.json").write_text(json.dumps(vars(record)))
    return record


def _created(pid: int) -> float:
    """A child that ended at once is still a zombie here, so its creation time can always be read."""
    return psutil.Process(pid).create_time()


def records(home: Home) -> list[Record]:
    """A record cut short by a kill while it was written names nobody: the mark finds its process."""
    found = []
    for path in sorted(home.run.glob("*.json")):
        with contextlib.suppress(ValueError, TypeError):
            found.append(Record(**json.loads(path.read_text())))
    return found


def wait_until(ready: Callable[[], bool], home: Home, record: Record, seconds: float) -> None:
    """Poll until ``ready``; a process that ends meanwhile, or takes longer, is an error with its log's end."""
    deadline = time.monotonic() + seconds
    while not ready():
        if record.process() is None:
            raise ProcessError(f"{record.name} ended while starting{log_tail(home, record.name)}")
        if time.monotonic() > deadline:
            raise ProcessError(f"{record.name} was not ready after {seconds:.0f} s{log_tail(home, record.name)}")
        time.sleep(POLL_SECONDS)


def log_tail(home: Home, name: str, lines: int = 12) -> str:
    path = home.logs / f"{name}.log"
    if not path.exists():
        return ""
    end = path.read_text(errors="replace").splitlines()[-lines:]
    return f"; the end of {path}:\n  " + "\n  ".join(end)


def stop(home: Home, *names: str) -> None:
    """End the named processes with everything they started; without names, all of the stack's."""
    chosen = [record for record in records(home) if not names or record.name in names]
    for record in chosen:
        _signal_group(record, record.stop_signal)
    _wait_gone(chosen)
    for record in chosen:
        _signal_group(record, signal.SIGKILL)
        (home.run / f"{record.name}.json").unlink(missing_ok=True)
    if not names:
        sweep(home)
    _reap({record.pid for record in chosen})


def _signal_group(record: Record, number: int) -> None:
    if record.process() is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(record.pid, number)


def _wait_gone(chosen: Sequence[Record]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    while any(record.process() for record in chosen) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def sweep(home: Home) -> None:
    """Kill whatever still carries the stack's mark: orphans of killed servers, and what no record names."""
    left = list(marked(home))
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)


def marked(home: Home) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == home.mark:
                yield process


def _reap(ended: set[int]) -> None:
    """Take leave of children that have ended, so that a long-lived caller (a test run) keeps no zombies."""
    for pid, child in list(_children.items()):
        if pid in ended:
            child.wait(GRACE_SECONDS)
        if child.poll() is not None:
            del _children[pid]
