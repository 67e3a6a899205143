"""Dead letters: with their reason, and grouped with what failed the same way."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain import dead_letters
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.records import InboundRecord
from tests.unit.domain import strategies
from tests.unit.domain.examples import DELIVERY


def inbound(value: bytes, topic: str = "nofy.dlq.v1") -> InboundRecord:
    return InboundRecord(topic, 2, 17, b"key", value, 1_772_366_400_000)


letters = st.builds(
    DeadLetter,
    st.sampled_from(Kind),
    strategies.words,
    st.none() | st.uuids(),
    st.none() | strategies.attempt_nos,
    st.none() | strategies.words,
    st.none() | st.binary(max_size=50),
)


@given(letters)
def test_a_dead_letter_comes_back_as_it_was(letter: DeadLetter):
    assert dead_letters.read(inbound(dead_letters.value(letter))) == letter


@given(st.binary(max_size=80))
def test_a_dead_letter_that_cannot_be_read_is_buried_as_it_is(junk: bytes):
    letter = dead_letters.read(inbound(junk))
    assert (letter.kind, letter.raw, letter.source) == (Kind.RECORD, junk, "nofy.dlq.v1/2/17")


@pytest.mark.parametrize("field", ["kind", "reason", "delivery_id", "attempt_no", "source", "raw"])
@given(value=strategies.json_values)
def test_a_dead_letter_with_one_wrong_field_is_read_or_buried_as_it_is(field: str, value):
    sound = json.loads(dead_letters.value(DeadLetter(Kind.DELIVERY, "exhausted", DELIVERY, 3)))
    record = inbound(json.dumps(sound | {field: value}).encode())
    assert isinstance(dead_letters.read(record), DeadLetter)


def test_raw_bytes_travel_as_base64():
    document = json.loads(dead_letters.value(dead_letters.of_record(inbound(b"\xff\x00", "nofy.acks.v1"), "not JSON")))
    assert base64.b64decode(document["raw"]) == b"\xff\x00"
    assert document["source"] == "nofy.acks.v1/2/17"


def test_what_the_event_source_gave_up_on_is_a_batch():
    letter = dead_letters.of_event_source_failure(inbound(b"{}", "nofy.esm-failures.v1"))
    assert (letter.kind, letter.raw, letter.source) == (Kind.BATCH, b"{}", "nofy.esm-failures.v1/2/17")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exhausted: HTTP 503", "exhausted: HTTP 504"),
        ("Rejected_Recipient: gone", "rejected_recipient: gone"),
        ("ada@example.com is not valid", "bob.b@example.org is not valid"),
        ("no value for 'sender'", "no value for 'subject'"),
        ('unknown field "a"', 'unknown field "b"'),
        ("trace 0af3c2d1e4b5", "trace deadbeefcafe"),
        (
            "no delivery 01950000-0000-7000-8000-000000000005",
            "no delivery 0195abcd-0000-7fff-8eee-ffffffffffff",
        ),
        ("no dlv_01h455vb4pex5vsknk084sn02q here", "no dlv_01h455vb4pex5vsknk0zzzzzzz here"),
    ],
)
def test_failures_of_one_cause_have_one_fingerprint(one: str, other: str):
    assert DeadLetter(Kind.DELIVERY, one).fingerprint == DeadLetter(Kind.DELIVERY, other).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DeadLetter(Kind.DELIVERY, "expired"), DeadLetter(Kind.DELIVERY, "exhausted: x")),
        (DeadLetter(Kind.DELIVERY, "expired"), DeadLetter(Kind.RECORD, "expired")),
        (DeadLetter(Kind.DELIVERY, "channel_not_found"), DeadLetter(Kind.DELIVERY, "is_archived")),
    ],
)
def test_failures_of_different_causes_have_different_fingerprints(one: DeadLetter, other: DeadLetter):
    assert one.fingerprint != other.fingerprint


def test_a_fingerprint_says_nothing_about_whose_failure_it_was():
    assert (
        DeadLetter(Kind.DELIVERY, "expired", DELIVERY, 3).fingerprint
        == DeadLetter(Kind.DELIVERY, "expired").fingerprint
    )


def test_a_dead_letter_is_utf_8_json_with_a_version():
    value = dead_letters.value(DeadLetter(Kind.RECORD, "Grüße 👋"))
    assert json.loads(value)["v"] == 1
    assert "Grüße 👋".encode() in value


@pytest.mark.parametrize(
    "wrong",
    [{"attempt_no": 2**31}, {"attempt_no": "1"}, {"attempt_no": True}, {"source": 7}, {"reason": None}, {"raw": "%"}],
)
def test_a_letter_that_could_not_be_stored_is_buried_as_the_record_it_is(wrong: dict[str, object]):
    sound = {"v": 1, "kind": "delivery", "reason": "gone", "delivery_id": None, "attempt_no": 1, "source": None}
    told = inbound(json.dumps(sound | wrong).encode())
    assert dead_letters.read(told).kind is Kind.RECORD


def test_words_that_postgres_refuses_are_replaced():
    told = inbound(json.dumps({"v": 1, "kind": "record", "reason": "a\0b", "source": "t/1/2"}).encode())
    assert dead_letters.read(told).reason == "a?b"
