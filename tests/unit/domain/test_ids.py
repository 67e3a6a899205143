"""Identifiers: UUIDv7 inside, TypeID at the edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain import ids
from nofy.domain.ids import IdSource, Prefix, decode, encode, floor_of, idempotency_key, uuid7
from tests.unit.domain.examples import DELIVERY, NOW
from tests.unit.domain.strategies import moments

randomness = st.binary(min_size=10, max_size=10)

# The TypeID specification's own vectors (valid.yml of 0.3), without their prefixes.
SPECIFIED = [
    ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
    ("00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
    ("0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"),
    ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
    ("00000000000000000000000010", "00000000-0000-0000-0000-000000000020"),
    ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
    ("01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
]


def test_a_uuid7_is_the_one_of_the_rfc():
    born = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    made = uuid7(born, bytes.fromhex("0cc318c4dc0c0c07398f"))
    assert made == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")  # RFC 9562, appendix A.6


@given(moments, randomness)
def test_every_uuid7_has_its_version_its_variant_and_its_birth(moment: datetime, random: bytes):
    made = uuid7(moment, random)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert timedelta(0) <= moment - ids.born(made) < timedelta(milliseconds=1)


@given(moments, randomness, randomness, st.integers(1, 10**9))
def test_what_is_born_a_millisecond_later_sorts_behind(moment: datetime, one: bytes, other: bytes, later: int):
    assert uuid7(moment, one) < uuid7(moment + timedelta(milliseconds=later), other)


@given(moments, randomness)
def test_the_floor_of_a_moment_is_below_everything_born_at_it_and_above_everything_before(moment, random):
    before = moment - timedelta(milliseconds=1)
    assert uuid7(before, random) < floor_of(moment) <= uuid7(moment, random)


def test_a_source_of_ids_takes_its_clock_and_its_randomness_from_outside():
    source = IdSource(lambda: NOW, bytes)
    assert source() == source() == uuid7(NOW, bytes(10))


@given(moments)
def test_a_due_time_is_rounded_up_and_the_present_down_so_nothing_is_early(moment: datetime):
    due, present = ids.milliseconds(moment), ids.milliseconds(moment, up=False)
    assert ids.from_milliseconds(present) <= moment <= ids.from_milliseconds(due)
    assert due - present in (0, 1)


@pytest.mark.parametrize(("suffix", "identifier"), SPECIFIED)
def test_typeids_are_those_of_the_specification(suffix: str, identifier: str):
    assert encode(Prefix.DELIVERY, UUID(identifier)) == f"dlv_{suffix}"
    assert decode(Prefix.DELIVERY, f"dlv_{suffix}") == UUID(identifier)


@given(st.sampled_from(Prefix), st.uuids())
def test_a_typeid_comes_back_as_the_uuid_it_was_made_of(prefix: Prefix, identifier: UUID):
    assert decode(prefix, encode(prefix, identifier)) == identifier


@given(st.uuids(), st.uuids())
def test_typeids_sort_as_their_uuids_do(one: UUID, other: UUID):
    assert (encode(Prefix.KEY, one) < encode(Prefix.KEY, other)) == (one < other)


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "_",
        "dlv",
        "dlv_",
        "01h455vb4pex5vsknk084sn02q",
        "ntf_01h455vb4pex5vsknk084sn02q",  # somebody else's kind
        "DLV_01h455vb4pex5vsknk084sn02q",
        "dlv-01h455vb4pex5vsknk084sn02q",
        "dlv_dlv_01h455vb4pex5vsknk084sn02q",
        "dlv_01h455vb4pex5vsknk084sn02",  # one short
        "dlv_01h455vb4pex5vsknk084sn02qq",  # one long
        "dlv_8zzzzzzzzzzzzzzzzzzzzzzzzz",  # more than 128 bits
        "dlv_01H455VB4PEX5VSKNK084SN02Q",  # the specification has lower case only
        "dlv_01h455vb4pex5vsknk084sn02l",  # l, i, o and u are not in the alphabet
        "dlv_01h455vb4pex5vsknk084sn02 ",
        "dlv_01h455vb4pex5vsknk084sn02\u0661",  # a digit, but not one of ours
        " dlv_01h455vb4pex5vsknk084sn02q",
    ],
)
def test_junk_is_no_id(junk: str):
    assert decode(Prefix.DELIVERY, junk) is None


@given(st.text(max_size=40))
def test_no_text_makes_decoding_fail(text: str):
    found = decode(Prefix.NOTIFICATION, text)
    assert found is None or encode(Prefix.NOTIFICATION, found) == text


def test_an_idempotency_key_is_the_same_on_every_retry_and_another_after_a_redrive():
    assert idempotency_key(DELIVERY, 0) == idempotency_key(DELIVERY, 0)
    assert idempotency_key(DELIVERY, 0) != idempotency_key(DELIVERY, 1)
    assert idempotency_key(DELIVERY, 0).version == 5
