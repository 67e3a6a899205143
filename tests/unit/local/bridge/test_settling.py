from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from local.bridge.event import PAYLOAD_LIMIT_BYTES, Batch, make_batch
from local.bridge.outcome import Done, Failed, Outcome, Partial
from local.bridge.settling import LONGEST_PAUSE_SECONDS, Settling, pause_before
from local.bridge.source import FOREVER, EventSource

BOOTSTRAP = "127.0.0.1:19092"


def source(retry_attempts: int = 2, on_failure: str | None = "nofy.esm-failures.v1") -> EventSource:
    return EventSource("nofy.acks.v1", "g", "acks", 2, 100, 0, on_failure, retry_attempts)


class RecordingPartition:
    """A partition whose function fails on given offsets, as a whole or by reporting them, some number of times."""

    def __init__(self, raises=(), reports=(), times: int | None = None) -> None:
        self.raises, self.reports = set(raises), set(reports)
        self.left = times
        self.invoked: list[tuple[int, int]] = []
        self.committed: list[int] = []
        self.published: list[tuple[str, bytes | None, dict]] = []
        self.paused: list[float] = []

    def invoke(self, batch: Batch) -> Outcome:
        offsets = [record.offset for record in batch.records]
        self.invoked.append((offsets[0], offsets[-1]))
        if self.left == 0:
            return Done()
        outcome = self._outcome(offsets)
        if self.left is not None and outcome != Done():
            self.left -= 1
        return outcome

    def _outcome(self, offsets: list[int]) -> Outcome:
        if self.raises & set(offsets):
            return Failed("boom")
        reported = sorted(self.reports & set(offsets))
        if not reported:
            return Done()
        return Failed("the first failed") if reported[0] == offsets[0] else Partial(reported[0])

    def commit(self, offset: int) -> None:
        self.committed.append(offset)

    def publish(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.published.append((topic, key, json.loads(value)))

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    def note(self, message: str) -> None:
        assert message


def settle(partition: RecordingPartition, batch: Batch, rules: EventSource | None = None) -> None:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    Settling(rules or source(), BOOTSTRAP, partition, now=lambda: moment).settle(batch)


def test_a_batch_that_was_taken_is_committed_past_its_end(batch):
    partition = RecordingPartition()
    settle(partition, batch(5, 9))
    assert partition.invoked == [(5, 9)]
    assert partition.committed == [10]
    assert partition.paused == []


def test_what_was_taken_before_the_first_failure_is_committed_and_not_sent_again(batch):
    partition = RecordingPartition(reports=[7], times=1)
    settle(partition, batch(5, 9))
    assert partition.invoked == [(5, 9), (7, 9)]
    assert partition.committed == [7, 10]


def test_a_poison_record_is_found_by_halving_and_the_others_get_through(batch):
    partition = RecordingPartition(raises=[7])
    settle(partition, batch(0, 15))
    assert [message["KafkaBatchInfo"]["recordInfo"]["offset"] for _, _, message in partition.published] == ["7"]
    assert partition.committed == sorted(partition.committed)
    assert partition.committed[-1] == 16


def test_commits_never_go_past_what_is_not_settled(batch):
    """When record 3 is given up on, everything before it was committed, and nothing after it."""
    partition = RecordingPartition(raises=[3])
    committed_at_publish: list[list[int]] = []
    publish = partition.publish
    partition.publish = lambda *message: (committed_at_publish.append(list(partition.committed)), publish(*message))
    settle(partition, batch(0, 7))
    assert committed_at_publish[0][-1] == 3
    assert 4 in partition.committed


def test_a_single_record_is_tried_once_and_then_its_retries(batch):
    partition = RecordingPartition(raises=[5])
    settle(partition, batch(5, 5), source(retry_attempts=3))
    assert partition.invoked == [(5, 5)] * 4
    assert partition.paused == [0.5, 1.0, 2.0]
    topic, key, message = partition.published[0]
    assert (topic, key) == ("nofy.esm-failures.v1", b"k")
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 4


def test_a_failure_that_passes_costs_nothing_but_time(batch):
    partition = RecordingPartition(raises=[5], times=2)
    settle(partition, batch(5, 5))
    assert partition.published == []
    assert partition.committed == [6]


def test_a_source_that_retries_for_ever_does_so_with_the_whole_batch(batch):
    partition = RecordingPartition(raises=[7], times=40)
    settle(partition, batch(5, 9), source(FOREVER, None))
    assert partition.invoked == [(5, 9)] * 41
    assert partition.committed == [10]
    assert max(partition.paused) == LONGEST_PAUSE_SECONDS


def test_a_record_too_large_for_any_invoke_is_given_up_without_one(make_record):
    partition = RecordingPartition()
    settle(partition, make_batch([make_record(5, value=b"x" * PAYLOAD_LIMIT_BYTES)], BOOTSTRAP))
    assert partition.invoked == []
    assert partition.published[0][2]["requestContext"]["condition"] == "MaximumPayloadSizeExceeded"
    assert partition.published[0][2]["responseContext"] is None
    assert partition.committed == [6]


def test_the_failed_record_travels_whole_in_its_failure_message(batch):
    partition = RecordingPartition(raises=[5])
    one = batch(5, 5)
    settle(partition, one)
    message = partition.published[0][2]
    assert message["payload"] == json.loads(one.payload)
    assert message["KafkaBatchInfo"]["payloadSize"] == len(one.payload)
    assert message["timestamp"] == "2026-11-22T10:00:00.000Z"
    assert message["KafkaBatchInfo"]["recordInfo"]["timestamp"] == "2026-11-22T10:25:02.387Z"


@pytest.mark.parametrize(("retry", "seconds"), [(1, 0.5), (2, 1.0), (5, 8.0), (6, 15.0), (1000, 15.0)])
def test_pauses_double_up_to_a_limit(retry: int, seconds: float):
    assert pause_before(retry) == seconds


@pytest.mark.parametrize(("on_failure", "retries"), [("nofy.acks.v1", 2), (None, 2)])
def test_a_source_that_would_lose_or_circle_records_is_refused(on_failure: str | None, retries: int):
    with pytest.raises(ValueError, match=r"nofy\.acks\.v1"):
        source(retries, on_failure)
