"""Whoever is woken by an alarm finds its page, and no page speaks of an alarm that is not there."""

from __future__ import annotations

import json
import re
from collections import Counter

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.settings import ROOT, Stage, load_settings
from infra.stage import build

RUNBOOKS = ROOT / "docs" / "runbooks"
PARTS = ("**Means**", "**Users notice**", "## Look first", "## Likely causes, and what to do", "## Over when")


@pytest.fixture(scope="module")
def alarms() -> list[dict[str, str]]:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(
        context={**context, "aws:cdk:bundling-stacks": [], "stage": "dev"}, builtin_cloud_formation_validation=False
    )
    build(app)
    template = Template.from_stack(app.node.find_child("nofy-dev-observability")).to_json()
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]


def runbook_of(alarm: dict[str, str]) -> str:
    (name,) = re.findall(r"docs/runbooks/([\w-]+)\.md", alarm["AlarmDescription"])
    return str(name)


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm(alarms):
    assert {runbook_of(each) for each in alarms} == {page.stem for page in RUNBOOKS.glob("*.md")}


def test_an_alarm_is_named_after_its_runbook(alarms):
    for alarm in alarms:
        assert alarm["AlarmName"].startswith(f"nofy-dev-{runbook_of(alarm)}")


def test_a_runbook_states_the_threshold_of_its_alarm(alarms):
    for alarm in alarms:
        threshold = f"{alarm['Threshold']:,}"
        page = (RUNBOOKS / f"{runbook_of(alarm)}.md").read_text()
        stated = {"0": ("> 0", "any record at all", "crashed or ran out of time"), "10": ("a tenth",)}
        assert any(each in page for each in stated.get(threshold, (threshold,))), (alarm["AlarmName"], threshold)


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_is_a_page_with_the_same_parts_as_all(page):
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    places = [text.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    assert len(text.splitlines()) <= 70


def test_the_deploy_guide_names_every_runbook_and_counts_right(alarms):
    guide = (ROOT / "docs" / "deploy.md").read_text()
    for name in Counter(map(runbook_of, alarms)):
        assert f"runbooks/{name}.md" in guide
    reserved = sum(load_settings(Stage.PROD).reserved_concurrency.values())
    assert f"dashboard, {len(alarms)} alarms" in guide
    assert f"{reserved} in all" in guide
    assert f"less than {reserved + 100} " in guide
    assert f"{len(alarms)} alarms" in (ROOT / "docs" / "cost.md").read_text()
