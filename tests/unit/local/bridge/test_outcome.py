from __future__ import annotations

import json

import pytest

from local.bridge.outcome import Done, Failed, Partial, outcome_of


def failures(*offsets: int, partition: str = "nofy.acks.v1-1") -> bytes:
    items = [{"itemIdentifier": {"partition": partition, "offset": offset}} for offset in offsets]
    return json.dumps({"batchItemFailures": items}).encode()


@pytest.mark.parametrize(
    "response", [b"", b"null", b"{}", b'"ok"', b"[]", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_an_answer_without_failures_means_done(batch, response: bytes):
    assert outcome_of(batch(5, 9), None, response) == Done()


def test_the_lowest_failed_offset_is_where_the_batch_is_taken_up_again(batch):
    assert outcome_of(batch(5, 9), None, failures(9, 7)) == Partial(7)


def test_a_first_record_that_failed_leaves_nothing_to_commit(batch):
    assert isinstance(outcome_of(batch(5, 9), None, failures(5)), Failed)


def test_a_function_error_fails_the_batch_with_what_it_said(batch):
    outcome = outcome_of(batch(5, 9), "Unhandled", b'{"errorMessage": "boom"}')
    assert outcome == Failed('Unhandled: {"errorMessage": "boom"}')


@pytest.mark.parametrize(
    "response",
    [
        failures(4),
        failures(10),
        failures(7, partition="nofy.acks.v1-0"),
        failures(7, partition="nofy.acks.v1"),
        b'{"batchItemFailures": [{}]}',
        b'{"batchItemFailures": [null]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "nofy.acks.v1-1-7"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": {"partition": "nofy.acks.v1-1", "offset": "7"}}]}',
        b'{"batchItemFailures": [{"itemIdentifier": {"partition": "nofy.acks.v1-1", "offset": true}}]}',
        b"not json",
    ],
)
def test_a_failure_that_names_no_record_of_the_batch_fails_it_whole(batch, response: bytes):
    assert isinstance(outcome_of(batch(5, 9), None, response), Failed)


def test_one_bad_entry_spoils_the_good_ones(batch):
    assert isinstance(outcome_of(batch(5, 9), None, failures(7, 99)), Failed)
