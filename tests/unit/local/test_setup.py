from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from local import setup
from local.artefacts import ROOT
from local.progress import Progress
from local.setup import SetupError, Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PIN = re.compile(r"^([a-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE | re.IGNORECASE)
PINNED = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("requirements*.txt"))
PINNED += sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("l*/**/requirements*.txt"))


def pins(path: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / path).read_text()))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Callable[[], None]], Step]:
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(setup, "LOG", tmp_path / "setup.log")
    (tmp_path / "pins.txt").write_text("one==1")

    def step(build: Callable[[], None]) -> Step:
        made = Step("something", (tmp_path / "pins.txt",), tmp_path / "made", build)
        monkeypatch.setattr(setup, "steps", lambda: iter([made]))
        return made

    return step


def test_a_step_is_built_once(steps, tmp_path: Path, capsys):
    steps((tmp_path / "made").touch)
    assert setup.set_up(Progress()) == 1
    assert setup.set_up(Progress()) == 0
    assert capsys.readouterr().out.count("something") == 1


def test_a_step_is_built_again_when_its_pins_change(steps, tmp_path: Path):
    steps((tmp_path / "made").touch)
    setup.set_up(Progress())
    (tmp_path / "pins.txt").write_text("one==2")
    assert setup.set_up(Progress()) == 1


def test_a_step_is_built_again_when_what_it_made_is_gone(steps, tmp_path: Path):
    steps((tmp_path / "made").touch)
    setup.set_up(Progress())
    (tmp_path / "made").unlink()
    assert setup.set_up(Progress()) == 1


def test_a_step_that_failed_half_way_is_built_again(steps, tmp_path: Path):
    def half() -> None:
        (tmp_path / "made").touch()
        raise SetupError("the network went away")

    step = steps(half)
    with pytest.raises(SetupError):
        setup.set_up(Progress())
    assert not step.is_current()


def test_a_failing_tool_is_named_with_the_end_of_what_it_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(setup, "LOG", tmp_path / "setup.log")
    with pytest.raises(SetupError, match=r"sh failed(.|\n)*out of disk"):
        setup.run("sh", "-c", "echo out of disk; exit 3")


@pytest.mark.parametrize("path", PINNED)
def test_every_pin_has_a_hash_and_no_file_names_an_index(path: str):
    text = (ROOT / path).read_text()
    assert pins(path)
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()) if "==" in entry)
    assert "://" not in text


def test_the_layer_holds_what_the_tests_ran_with():
    assert pins("layers/deps/requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_a_deploy_runs_with_what_the_tests_ran_with():
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_what_the_layer_and_the_emulator_both_have_is_the_same_version():
    """The emulator's own packages come first on a function's path, the layer's only after them."""
    layer, emulator = pins("layers/deps/requirements.txt"), pins("local/requirements-ministack.txt")
    shared = layer.keys() & emulator.keys()
    assert "urllib3" in shared
    assert {name: layer[name] for name in shared} == {name: emulator[name] for name in shared}


def test_the_node_lock_file_says_nothing_about_where_packages_come_from():
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
