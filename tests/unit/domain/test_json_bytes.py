"""JSON as it is written: the same values as the standard library's, in UTF-8, and nothing that is no JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nofy.domain.json_bytes import json_bytes
from nofy.domain.routing import Channel
from tests.unit.domain import strategies

WIDE = 2**64  # one bit more than orjson writes


@dataclass
class Something:
    it: int


@given(strategies.storable_json)
@example({"a": 1e22, "b": -0.0, "c": 2**63, "d": -WIDE})
def test_what_is_written_reads_as_what_it_was(value: Any):
    assert json.loads(json_bytes(value)) == value


@given(strategies.moments, st.uuids(), st.sampled_from([1, WIDE]))
def test_moments_and_ids_are_text_beside_numbers_of_any_size(moment: datetime, identifier: UUID, number: int):
    written = json_bytes([moment, {"id": identifier}, Channel.EMAIL, number])
    assert json.loads(written) == [moment.isoformat(), {"id": str(identifier)}, "email", number]


@pytest.mark.parametrize("number", [1, WIDE])
def test_it_is_utf_8_without_escapes_or_spaces(number: int):
    assert json_bytes({"Grüße": ["👋", number]}) == f'{{"Grüße":["👋",{number}]}}'.encode()


@pytest.mark.parametrize("value", [object(), b"bytes", Something(1), {"a": {1, 2}}, "\ud800"])
@pytest.mark.parametrize("beside", [1, WIDE])
def test_what_is_no_json_is_refused(value: Any, beside: int):
    with pytest.raises((TypeError, ValueError)):
        json_bytes([value, beside])
