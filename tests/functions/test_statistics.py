"""The overview's figures over the API."""

from __future__ import annotations

from typing import Any

import pytest

from nofy.domain.ids import Prefix, decode
from nofy.domain.lifecycle import Event, Status
from nofy.domain.statistics import Range
from tests.fakes.statistics import Happened
from tests.functions.test_dead_letters import as_described, fail
from tests.functions.test_producer import SOUND, Api


@pytest.fixture
def api(function, context) -> Api:
    return Api(function("producer"), context)


def deliveries(api: Api, asked: dict[str, Any] | None = None) -> list[Any]:
    accepted = api.ask("POST", "/v1/notifications", asked or SOUND).json
    return [api.store.tables.deliveries[decode(Prefix.DELIVERY, each["id"])] for each in accepted["deliveries"]]


def sent(api: Api, milliseconds: float) -> None:
    (row,) = deliveries(api, SOUND | {"channels": ["email"]})
    row.become(Status.SENT, api.clock())
    row.happened.append(Happened("sent", api.clock(), milliseconds))


@pytest.mark.parametrize("span", Range)
def test_every_bucket_of_the_range_is_told_and_the_last_is_now(api: Api, span: Range) -> None:
    deliveries(api)
    told = as_described("Statistics", api.ask("GET", f"/v1/stats?range={span}"))
    assert (told["range"], told["step_seconds"], len(told["buckets"])) == (span, span.step_seconds, span.buckets)
    assert told["buckets"] == sorted(told["buckets"], key=lambda each: each["at"])
    *before, last = told["buckets"]
    assert all(each["channels"] == {} for each in before)
    assert sum(each["accepted"] for each in last["channels"].values()) == told["totals"]["accepted"] > 0


def test_a_day_unless_another_range_is_asked_for(api: Api) -> None:
    assert as_described("Statistics", api.ask("GET", "/v1/stats"))["range"] == "24h"
    refused = api.ask("GET", "/v1/stats?range=century")
    assert (refused.status, refused.json["errors"][0]["path"]) == (422, "?/range")


def test_how_well_and_how_fast_it_went(api: Api) -> None:
    for milliseconds in (100, 110, 120, 5_000):
        sent(api, milliseconds)
    told = api.ask("GET", "/v1/stats").json
    assert told["time_to_provider"]["p50_ms"] == pytest.approx(110, rel=0.1)
    assert told["time_to_provider"]["p99_ms"] == pytest.approx(5_000, rel=0.1)
    assert (told["success_rate"], told["channels"]["email"]["success_rate"]) == (1.0, 1.0)
    assert told["channels"]["slack"] == {
        "totals": dict.fromkeys(told["totals"], 0),
        "success_rate": None,
        "time_to_provider": {"p50_ms": None, "p99_ms": None},
    }


def test_where_everything_is_now(api: Api) -> None:
    (row,) = deliveries(api, SOUND | {"channels": ["email"], "priority": "high"})
    row.advance(Event.DISPATCHED, api.clock())
    fail(api)
    api.clock.advance(7)
    told = as_described("Statistics", api.ask("GET", "/v1/stats"))
    assert told["now"] == {"scheduled": 0, "queued": 1, "sending": 0, "retrying": 0, "held": 0}
    assert told["dead_letters_open"] == 1
    assert len(told["lanes"]) == 9
    waiting = [each for each in told["lanes"] if each["queued"]]
    assert [(each["channel"], each["priority"], each["queued"]) for each in waiting] == [("email", "high", 1)]
    assert waiting[0]["oldest_seconds"] >= 7
    assert {each["channel"]: each["held"] for each in told["integrations"]}["email"] is False
