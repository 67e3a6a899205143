"""Cursors: opaque, and refused when they are not ours."""

from __future__ import annotations

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.errors import InvalidRequestError
from nofy.queries.pages import decode_cursor, encode_cursor


@given(st.uuids())
def test_a_cursor_comes_back_as_the_item_it_was_made_of(last: UUID):
    assert decode_cursor(encode_cursor(last)) == last


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_an_invalid_request(text: str):
    with contextlib.suppress(InvalidRequestError):
        assert isinstance(decode_cursor(text), UUID)


@pytest.mark.parametrize("junk", ["", "x", "é", "AAAA", encode_cursor(UUID(int=1))[:-4], "!" * 24])
def test_a_cursor_that_was_never_given_out_is_refused(junk: str):
    with pytest.raises(InvalidRequestError) as refused:
        decode_cursor(junk)
    assert [each.path for each in refused.value.errors] == ["?/cursor"]
