from __future__ import annotations

import base64
import json

from aws_lambda_powertools.utilities.data_classes import KafkaEvent
from hypothesis import given
from hypothesis import strategies as st

from local.bridge.event import PAYLOAD_LIMIT_BYTES, Record, cut, event, halves

BOOTSTRAP = "127.0.0.1:19092"


def test_the_event_is_what_powertools_reads_from_msk(make_record):
    made = make_record(7, value='{"name": "Zoë"}'.encode(), headers=(("traceparent", b"00-ab-cd-01"),))
    seen = next(KafkaEvent(json.loads(json.dumps(event([made], BOOTSTRAP)))).records)
    assert (seen.topic, seen.partition, seen.offset, seen.timestamp) == ("nofy.acks.v1", 1, 7, 1_795_343_102_387)
    assert seen.decoded_key == b"k"
    assert seen.json_value == {"name": "Zoë"}
    assert seen.decoded_headers["traceparent"] == b"00-ab-cd-01"


def test_records_are_grouped_under_topic_and_partition(make_record):
    assert list(event([make_record(1), make_record(2)], BOOTSTRAP)["records"]) == ["nofy.acks.v1-1"]


def test_header_bytes_are_signed_as_java_has_them(make_record):
    assert make_record(1, headers=(("h", bytes([0, 127, 128, 255])),)).as_msk()["headers"] == [
        {"h": [0, 127, -128, -1]}
    ]


def test_a_record_without_key_and_value_has_neither_field(make_record):
    assert not {"key", "value"} & make_record(1, key=None, value=None).as_msk().keys()


def test_an_empty_value_is_not_a_missing_one(make_record):
    assert make_record(1, value=b"").as_msk()["value"] == ""


def test_no_records_make_no_batch():
    assert list(cut([], BOOTSTRAP)) == []


def test_a_batch_below_the_limit_is_left_whole(make_record):
    assert len(list(cut([make_record(offset) for offset in range(500)], BOOTSTRAP))) == 1


def test_a_batch_above_six_megabytes_is_cut(make_record):
    batches = list(cut([make_record(offset, value=b"x" * 1_000_000) for offset in range(10)], BOOTSTRAP))
    assert [len(batch.records) for batch in batches] == [4, 4, 2]
    assert all(batch.fits for batch in batches)


def test_a_single_record_that_lambda_would_refuse_says_so(make_record):
    (batch,) = cut([make_record(0, value=b"x" * PAYLOAD_LIMIT_BYTES)], BOOTSTRAP)
    assert not batch.fits


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=30), st.integers(700, 4000))
def test_cutting_keeps_every_record_in_order_and_every_payload_within_the_limit(values: list[bytes], limit: int):
    records = [Record("t", 0, offset, 0, None, value) for offset, value in enumerate(values)]
    batches = list(cut(records, BOOTSTRAP, limit))
    assert [record for batch in batches for record in batch.records] == records
    assert all(len(batch.payload) <= limit or len(batch.records) == 1 for batch in batches)


def test_the_payload_of_a_batch_is_its_event(make_record):
    (batch,) = cut([make_record(3), make_record(4)], BOOTSTRAP)
    assert json.loads(batch.payload) == event(batch.records, BOOTSTRAP)
    assert batch.next_offset == 5


def test_offsets_with_gaps_commit_past_the_last_record(make_record):
    (batch,) = cut([make_record(3), make_record(9)], BOOTSTRAP)
    assert batch.next_offset == 10


def test_halves_keep_the_order_and_are_never_empty(batch):
    first, second = halves(batch(5, 9), BOOTSTRAP)
    assert [record.offset for record in first.records] == [5, 6]
    assert [record.offset for record in second.records] == [7, 8, 9]
    assert base64.b64decode(json.loads(first.payload)["records"]["nofy.acks.v1-1"][0]["value"]) == b"{}"
