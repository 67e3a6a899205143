"""Kafka records: what is written can be read, and what cannot be read is refused in one way only."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nofy.domain import records
from nofy.domain.delivery import Fence, Report
from nofy.domain.errors import UnreadableRecordError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.outcomes import Transient
from nofy.domain.records import ack_value, load, queue_value, read_ack, read_queue
from tests.unit.domain import strategies
from tests.unit.domain.examples import DELIVERY, NOW, report

if TYPE_CHECKING:
    from datetime import datetime

QUEUE = json.loads(queue_value(Fence(DELIVERY, 1, NOW), NOW))
ACK = json.loads(ack_value(report()))
DEEP = b"[" * 100_000


@given(strategies.fences, strategies.moments)
def test_a_queued_delivery_comes_back_as_it_was(fence: Fence, dispatched_at: datetime):
    assert read_queue(queue_value(fence, dispatched_at)) == records.QueueRecord(fence, dispatched_at)


@given(strategies.reports)
def test_a_report_comes_back_as_it_was(told: Report):
    assert read_ack(ack_value(told)) == told


def test_a_queue_record_carries_the_fence_and_nothing_of_the_message():
    assert set(QUEUE) == {"v", "delivery_id", "attempt_no", "due_at", "dispatched_at"}


def test_records_are_utf_8_without_escapes():
    assert '"reason":"Grüße 👋"'.encode() in ack_value(report(outcome=Transient("Grüße 👋")))


@given(st.binary(max_size=60))
@example(b"")
@example(b"\xff\xfe{")
@example(DEEP)
@example(b'{"v":1,"x":' + DEEP)
@example(b'{"v":1e400}')
def test_any_bytes_are_a_record_or_unreadable_and_nothing_else(value: bytes):
    for read in (load, read_queue, read_ack):
        with pytest.raises(UnreadableRecordError):
            read(value)


@pytest.mark.parametrize("field", QUEUE)
@given(value=strategies.json_values)
@example(value=float("inf"))
@example(value=float("nan"))
def test_a_queue_record_with_one_wrong_field_is_read_or_refused(field: str, value: Any):
    _read_or_refused(read_queue, QUEUE | {field: value})


@pytest.mark.parametrize("field", ACK)
@given(value=strategies.json_values)
@example(value=float("inf"))
@example(value={"decision": "retry", "at": "2026-03-01T12:00:00"})
def test_an_ack_with_one_wrong_field_is_read_or_refused(field: str, value: Any):
    _read_or_refused(read_ack, ACK | {field: value})


@pytest.mark.parametrize("field", QUEUE)
def test_a_queue_record_lacks_nothing(field: str):
    with pytest.raises(UnreadableRecordError):
        read_queue(json_bytes({key: value for key, value in QUEUE.items() if key != field}))


@pytest.mark.parametrize("field", [each for each in ACK if each not in ("credential_version", "provider_message_id")])
def test_an_ack_lacks_nothing(field: str):
    with pytest.raises(UnreadableRecordError):
        read_ack(json_bytes({key: value for key, value in ACK.items() if key != field}))


@pytest.mark.parametrize("version", [None, 0, 2, "1", [1]])
def test_a_version_from_the_future_is_refused(version: Any):
    with pytest.raises(UnreadableRecordError, match="unknown version"):
        read_queue(json_bytes(QUEUE | {"v": version}))


@pytest.mark.parametrize("field", ["due_at", "dispatched_at"])
def test_a_time_without_an_offset_is_refused(field: str):
    with pytest.raises(UnreadableRecordError, match="without an offset"):
        read_queue(json_bytes(QUEUE | {field: "2026-03-01T12:00:00"}))


def test_a_retry_at_a_time_without_an_offset_is_refused():
    with pytest.raises(UnreadableRecordError):
        read_ack(json_bytes(ACK | {"decided": {"decision": "retry", "at": "2026-03-01T12:00:00"}}))


def _read_or_refused(read: Any, document: dict[str, Any]) -> None:
    with contextlib.suppress(UnreadableRecordError):
        read(json.dumps(document).encode())
