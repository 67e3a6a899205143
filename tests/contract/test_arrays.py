"""Columns of values as one array's text: PostgreSQL reads what was written, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nofy.adapters.postgres.values import array, moments

if TYPE_CHECKING:
    from tests.contract.stores import PostgresBackend

# One database for all examples: they only read.
on_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


def read(backend: PostgresBackend, text: str, kind: str) -> list[Any]:
    return list(backend.superuser.run(f"SELECT %(values)s::{kind}[]", {"values": text})[0][0])


@on_one_database
@given(values=st.lists(st.none() | WORDS))
def test_words_are_read_as_they_were_written(postgres: PostgresBackend, values: list[str | None]):
    assert read(postgres, array(values), "text") == values


def test_words_that_mean_something_in_an_array_are_words(postgres: PostgresBackend):
    words = ["NULL", "", "a,b", "{}", '"', "\\", '\\"', " ", "null", "'; DROP TABLE deliveries; --", "%s", None]
    assert read(postgres, array(words), "text") == words


@on_one_database
@given(values=st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)))
def test_numbers_are_read_as_they_were_written(postgres: PostgresBackend, values: list[int | None]):
    assert read(postgres, array(values), "int") == values


def test_ids_are_read_as_they_were_written(postgres: PostgresBackend):
    ids = [UUID(int=each) for each in (0, 1, 2**127)]
    assert read(postgres, array(ids), "uuid") == ids


@on_one_database
@given(values=st.lists(st.none() | MOMENTS))
def test_moments_are_read_to_the_microsecond(postgres: PostgresBackend, values: list[datetime | None]):
    assert read(postgres, moments(values), "timestamptz") == values
