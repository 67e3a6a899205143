"""Every figure that an alarm or the dashboard reads is one that a function tells, under the name it is read by."""

import json
import re
from dataclasses import fields

import pytest

from infra.settings import ROOT
from nofy.domain import routing
from nofy.pipeline.bury import Buried
from nofy.pipeline.deliver import ChannelAttempts, Delivered
from nofy.pipeline.dispatch import Dispatched
from nofy.pipeline.lag import LaneLag, ProjectLag
from nofy.pipeline.reconcile import Reconciled
from nofy.runtime.api.admission import UNAVAILABLE
from nofy.runtime.api.auditing import UNWRITTEN

# What each function's handler hands to count() or measure().
TOLD = {
    "dispatcher": [Dispatched, LaneLag, ProjectLag],
    "consumer": [Delivered, ChannelAttempts],
    "dlq": [Buried],
    "reconciler": [Reconciled],
}
# Told one by one, at the moment they happen.
MEASURED = {"producer": {UNAVAILABLE, UNWRITTEN}, "console": {UNAVAILABLE}}
ALARMED = {
    ("reconciler", "lost"),
    ("reconciler", "oldest_queued_seconds"),
    ("reconciler", "held_integrations"),
    ("consumer", "lateness_ms"),
    ("consumer", "attempts_all"),
    ("consumer", "attempts_failed"),
    ("dlq", "dead_letters"),
    ("producer", "quota_unavailable"),
    ("console", "quota_unavailable"),
    ("producer", "audit_unwritten"),
}


def test_every_figure_that_is_alarmed_at_is_told_by_its_function(cloud):
    watched = {_who_and_what(each) for each in _metrics(cloud)}

    assert watched == ALARMED
    assert {(who, what) for who, what in watched if what not in _told_by(who)} == set()


def test_every_figure_of_the_dashboard_is_told_by_its_function(cloud):
    (dashboard,) = cloud.of_type("AWS::CloudWatch::Dashboard").values()
    body = "".join(part for part in dashboard["Properties"]["DashboardBody"]["Fn::Join"][1] if isinstance(part, str))
    shown = set(re.findall(r'"Nofy","(\w+)","function","(\w+)"', body))
    shown |= {(what, who) for what, _, who in re.findall(r'"Nofy","(\w+)","channel","(\w+)","function","(\w+)"', body)}

    assert {what for what, _ in shown} >= {"queued", "indexed", "attempts_all", "lost", "lane_lag_ms"}
    assert "{Nofy,function,project,service} MetricName=" + r"\"project_lag_ms\"" in body
    assert {(who, what) for what, who in shown if what not in _told_by(who)} == set()


@pytest.mark.parametrize("name", ["attempts_all", "attempts_failed"])
def test_attempts_are_alarmed_at_by_channel(cloud, name):
    channels = {_dimensions(each)["channel"] for each in _metrics(cloud) if each["MetricName"] == name}

    assert channels == set(routing.Channel)


def test_a_metrics_dimensions_are_those_that_powertools_and_the_handler_give_it(cloud):
    for metric in _metrics(cloud):
        dimensions = _dimensions(metric)
        assert dimensions["service"] == dimensions["function"]
        assert cloud.environment(dimensions["function"])["POWERTOOLS_SERVICE_NAME"] == dimensions["service"]


def test_every_alarm_tells_somebody_and_names_its_runbook(cloud):
    for alarm in cloud.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"]
        assert re.search(r"docs/runbooks/[a-z-]+\.md$", alarm["Properties"]["AlarmDescription"])


@pytest.mark.parametrize("name", ["lost", "oldest_queued_seconds", "held_integrations"])
def test_a_figure_that_should_be_zero_is_told_even_so(name):
    handler = (ROOT / "functions" / "reconciler" / "handler.py").read_text(encoding="utf-8")

    assert json.dumps(name) in handler.partition("ALARMED = ")[2].partition("\n")[0]


def _metrics(deployed):
    """The metrics of ours in every alarm, by themselves or inside an expression."""
    for alarm in deployed.of_type("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        inner = [each["MetricStat"]["Metric"] for each in properties.get("Metrics", []) if "MetricStat" in each]
        yield from (each for each in [properties, *inner] if each.get("Namespace") == "Nofy")


def _dimensions(metric):
    return {each["Name"]: each["Value"] for each in metric["Dimensions"]}


def _who_and_what(metric):
    return _dimensions(metric)["function"], metric["MetricName"]


def _told_by(function):
    return {field.name for summary in TOLD.get(function, []) for field in fields(summary)} | MEASURED.get(
        function, set()
    )
