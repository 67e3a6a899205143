"""Logs and metrics: a summary becomes numbers, an invocation's lines carry its id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from nofy.runtime.observability import count, logger, measure, observed


@dataclass
class Summary:
    leased: int
    dropped: int
    reports: tuple[int, ...] = ()


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [document for line in capsys.readouterr().out.splitlines() if "_aws" in (document := json.loads(line))]


def test_every_whole_number_that_is_not_zero_is_a_metric(capsys):
    assert count(Summary(3, 0, (1, 2)), function="consumer") == {"leased": 3, "dropped": 0}
    (emitted,) = metrics(capsys)
    assert emitted["leased"] == [3.0]
    assert "dropped" not in emitted
    assert emitted["function"] == "consumer"
    assert emitted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Nofy"


def test_a_quiet_run_costs_no_metrics(capsys):
    assert count(Summary(0, 0), function="consumer") == {"leased": 0, "dropped": 0}
    assert not metrics(capsys)


@dataclass
class Look:
    lost: int | None
    indexed: int = 0


def test_a_zero_that_an_alarm_waits_for_is_told(capsys):
    assert count(Look(0), always=["lost"], function="reconciler") == {"lost": 0, "indexed": 0}
    (emitted,) = metrics(capsys)
    assert emitted["lost"] == [0.0]
    assert "indexed" not in emitted


def test_what_nobody_could_count_is_not_told_as_zero(capsys):
    assert count(Look(None), always=["lost"], function="reconciler") == {"indexed": 0}
    assert not metrics(capsys)


@pytest.mark.parametrize("how_many", [1, 99, 100, 198, 500])
def test_every_measured_value_is_told_in_lines_that_cloudwatch_takes(capsys, how_many: int):
    measure("lateness_ms", range(how_many), function="consumer")
    emitted = metrics(capsys)
    assert [value for line in emitted for value in line["lateness_ms"]] == [float(n) for n in range(how_many)]
    assert max(len(line["lateness_ms"]) for line in emitted) <= 100
    assert {line["function"] for line in emitted} == {"consumer"}


def test_nothing_measured_is_nothing_told(capsys):
    measure("lateness_ms", [], function="consumer")
    assert not metrics(capsys)


@pytest.mark.parametrize(
    ("name", "unit"), [("lateness_ms", "Milliseconds"), ("oldest_queued_seconds", "Seconds"), ("attempts_all", "Count")]
)
def test_a_metrics_unit_is_in_its_name(capsys, name: str, unit: str):
    measure(name, [1], function="any")
    (emitted,) = metrics(capsys)
    assert emitted["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": name, "Unit": unit}]


def test_one_summary_does_not_leak_into_the_next(capsys):
    count(Summary(3, 0), function="consumer")
    count(Summary(0, 5), function="acks")
    _, second = metrics(capsys)
    assert "leased" not in second
    assert second["function"] == "acks"


def test_an_exception_is_logged_once_with_its_request_and_goes_on(monkeypatch):
    logged = []
    monkeypatch.setattr(logger, "exception", lambda *args: logged.append((args, logger.get_current_keys())))

    @observed
    def handler(event, context):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        handler({}, SimpleNamespace(aws_request_id="req-7"))
    ((message, keys),) = logged
    assert message == ("invocation failed",)
    assert keys["request_id"] == "req-7"


def test_an_answer_goes_through_unchanged():
    assert observed(lambda event, context: event)({"a": 1}, SimpleNamespace(aws_request_id="r")) == {"a": 1}
