from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bringup import StackError, alone, clear, running_stack
from local.processes import Home
from local.stack import Stack, write_private

if TYPE_CHECKING:
    from pathlib import Path


def test_there_is_one_make_up_or_make_down_at_a_time(tmp_path: Path):
    with alone(tmp_path), pytest.raises(StackError, match="another make up or make down"), alone(tmp_path):
        pass


def test_a_lock_that_is_let_go_of_is_free(tmp_path: Path):
    for _ in range(2):
        with alone(tmp_path):
            pass


def test_a_stack_whose_processes_are_gone_does_not_run(tmp_path: Path):
    Stack.from_environment({"NOFY_LOCAL_DIR": str(tmp_path), "KAFKA": "tansu"}).save()
    write_private(tmp_path / "stack.json", {})
    assert running_stack(tmp_path) is None


def test_clearing_leaves_what_is_not_the_stacks_own(tmp_path: Path):
    """Setup's artefacts lie in the default directory, and nobody knows what in another one."""
    (tmp_path / "build").mkdir()
    (tmp_path / "thesis.tex").touch()
    Home(tmp_path).create()
    write_private(tmp_path / "stack.json", {})
    clear(Home(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build", "thesis.tex"]
