"""What Lambda's event sources hand over."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from nofy.domain.records import InboundRecord
from nofy.runtime import clock
from nofy.runtime.events import ends_at, kafka_records

EVENTS = Path(__file__).parents[2] / "events"


def event(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))


def test_the_records_of_an_msk_event_come_as_bytes_in_the_order_of_their_partition():
    records = kafka_records(event("msk_deliveries"))
    assert [(each.topic, each.partition, each.offset) for each in records] == [
        ("nofy.deliveries.email.normal.v1", 0, 41),
        ("nofy.deliveries.email.normal.v1", 0, 42),
        ("nofy.deliveries.email.normal.v1", 3, 7),
    ]
    assert json.loads(records[0].value)["v"] == 1
    assert records[0].key == b"01950000-0000-7000-8000-000000000001:ada@example.com"
    assert records[0].timestamp_ms == 1_772_366_400_000


def test_a_record_without_key_or_value_is_an_empty_one():
    bare = {"topic": "nofy.acks.v1", "partition": 0, "offset": 1, "timestamp": 5, "timestampType": "CREATE_TIME"}
    expected = InboundRecord("nofy.acks.v1", 0, 1, None, b"", 5)
    assert kafka_records({"records": {"nofy.acks.v1-0": [bare]}}) == [expected]
    assert kafka_records({"records": {"nofy.acks.v1-0": [{**bare, "key": None, "value": None}]}}) == [expected]


def test_an_empty_key_is_not_a_missing_one():
    record = {"topic": "t", "partition": 0, "offset": 1, "timestamp": 5, "key": "", "value": ""}
    assert kafka_records({"records": {"t-0": [record]}})[0].key == b""


def test_an_event_without_records_has_none():
    assert kafka_records({"records": {}}) == []


def test_an_invocation_ends_before_lambda_ends_it():
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 180_000

    before = clock.now()
    assert before + timedelta(seconds=165) <= ends_at(Context(), 15) <= clock.now() + timedelta(seconds=165)
