from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from local import processes
from local.processes import MARK, Home, ProcessError, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
SLEEP_WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, *sys.argv[1:]]); time.sleep(60)",
    *SLEEP[1:],
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "stack")
    yield home
    processes.stop(home)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


def until(condition, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_started_process_is_recorded_and_stopped(home: Home):
    record = processes.start(home, "one", SLEEP, environment())
    assert processes.records(home) == [record]
    processes.stop(home, "one")
    assert record.process() is None
    assert processes.records(home) == []


def test_stopping_ends_the_children_of_a_process_too(home: Home):
    record = processes.start(home, "parent", SLEEP_WITH_CHILD, environment())
    parent = psutil.Process(record.pid)
    assert until(lambda: bool(parent.children()))
    child = parent.children()[0]
    processes.stop(home)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_orphans_of_a_killed_process_are_found_by_the_mark(home: Home):
    record = processes.start(home, "parent", SLEEP_WITH_CHILD, environment())
    parent = psutil.Process(record.pid)
    assert until(lambda: bool(parent.children()))
    orphan = parent.children()[0]
    os.kill(record.pid, signal.SIGKILL)
    assert until(lambda: record.process() is None)
    processes.stop(home)
    assert not orphan.is_running()


def test_a_process_whose_id_was_used_again_is_not_touched(home: Home, stranger: subprocess.Popen[bytes]):
    home.create()
    recycled = Record("old", stranger.pid, psutil.Process(stranger.pid).create_time() - 3600, signal.SIGKILL)
    (home.run / "old.json").write_text(json.dumps(vars(recycled)))
    assert recycled.process() is None
    processes.stop(home)
    assert stranger.poll() is None
    assert processes.records(home) == []


def test_a_record_cut_short_by_a_kill_is_passed_over(home: Home):
    home.create()
    (home.run / "half.json").write_text('{"name": "half", "pi')
    assert processes.records(home) == []
    processes.stop(home)


def test_the_mark_of_another_stack_protects_its_processes(home: Home, tmp_path: Path):
    other = Home(tmp_path / "other")
    record = processes.start(other, "theirs", SLEEP, environment())
    try:
        processes.stop(home)
        assert record.process() is not None
    finally:
        processes.stop(other)


def test_children_inherit_the_mark(home: Home):
    processes.start(home, "parent", SLEEP_WITH_CHILD, environment())
    assert until(lambda: len(list(processes.marked(home))) == 2)


def test_a_process_that_ends_while_starting_is_an_error_with_the_end_of_its_log(home: Home):
    record = processes.start(home, "dud", [sys.executable, "-c", "raise SystemExit('no such luck')"], environment())
    with pytest.raises(ProcessError, match=r"dud ended while starting(.|\n)*no such luck"):
        processes.wait_until(lambda: False, home, record, 10)


def test_a_process_that_is_never_ready_is_an_error(home: Home):
    record = processes.start(home, "slow", SLEEP, environment())
    with pytest.raises(ProcessError, match="not ready after 0 s"):
        processes.wait_until(lambda: False, home, record, 0.05)


def test_the_environment_is_the_one_given_and_the_mark(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    record = processes.start(home, "one", SLEEP, environment())
    seen = psutil.Process(record.pid).environ()
    assert seen[MARK] == home.mark
    assert "AWS_PROFILE" not in seen
