"""The cost model's page states the figures that the code really has."""

from __future__ import annotations

import importlib
import json
import re

import pytest

from infra.settings import ROOT

ROW = re.compile(r"^\| `([\w.]+)` \| ([\w. ,]+) \| (\d+) \|$", re.MULTILINE)
STATED = ROW.findall((ROOT / "docs" / "cost.md").read_text())


@pytest.mark.parametrize(("name", "where", "stated"), STATED)
def test_a_figure_of_the_cost_model_is_the_codes(name, where, stated):
    assert int(stated) == (from_profile(name, where.split()[-1]) if "cdk.json" in where else from_module(name, where))


def test_there_are_figures_to_hold():
    assert len(STATED) >= 20


def from_profile(name: str, stage: str) -> int:
    value = json.loads((ROOT / "cdk.json").read_text())["context"]["nofy"][stage]
    for part in name.split("."):
        value = value[part]
    return int(value)


def from_module(name: str, module: str) -> int:
    return int(getattr(importlib.import_module(module), name))
