"""Bringing a batch to its end: taken, or tried again, or cut in two, or handed to the on-failure topic.

The rules are those of a provisioned mapping with bisect and partial responses. Only what is settled is committed,
in order, so a crash at any line means records are seen again and never that one is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, assert_never

from local.bridge.event import Batch, halves, make_batch
from local.bridge.failure import RETRIES_EXHAUSTED, TOO_LARGE, GivenUp, failure_message
from local.bridge.outcome import Done, Failed, Outcome, Partial

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.bridge.source import EventSource

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0


class Partition(Protocol):
    """What settling asks of the partition it works for."""

    def invoke(self, batch: Batch) -> Outcome:
        """Call the function; returns once it was called, however long the emulator is away."""

    def commit(self, offset: int) -> None:
        """The group has settled everything before ``offset``."""

    def publish(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Write to an on-failure topic and return when the broker has it."""

    def pause(self, seconds: float) -> None:
        """Wait, or raise when the bridge is being stopped."""

    def note(self, message: str) -> None:
        """Tell the operator."""


def pause_before(retry: int) -> float:
    """Half a second, doubled with each retry, at most fifteen."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(retry - 1, 10)))


@dataclass(frozen=True)
class Settling:
    """The rules of one source, applied to the batches of one partition."""

    source: EventSource
    bootstrap: str
    partition: Partition
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def settle(self, batch: Batch) -> None:
        """Returns when every record of the batch is settled and committed."""
        if not batch.fits:
            self._give_up(batch, TOO_LARGE, invokes=0)
            return
        invokes = 0
        while True:
            outcome = self.partition.invoke(batch)
            invokes += 1
            match outcome:
                case Done():
                    self.partition.commit(batch.next_offset)
                    return
                case Partial(offset):
                    batch, invokes = self._after_partial(batch, offset), 0
                case Failed(reason):
                    self.partition.note(f"{self.source.function} failed on {_name(batch)}: {reason}")
                    if self._ends_with_failure(batch, invokes):
                        return
                case _:
                    assert_never(outcome)
            self.partition.pause(pause_before(max(invokes, 1)))

    def _after_partial(self, batch: Batch, offset: int) -> Batch:
        """Progress was made: what is left counts as a batch that was never tried."""
        self.partition.commit(offset)
        rest = [record for record in batch.records if record.offset >= offset]
        self.partition.note(f"{self.source.function} left {len(rest)} of {_name(batch)}")
        return make_batch(rest, self.bootstrap)

    def _ends_with_failure(self, batch: Batch, invokes: int) -> bool:
        """A source with bounded retries looks for its poison record by halving; splits do not count as retries."""
        if self.source.retries_forever:
            return False
        if len(batch.records) > 1:
            for half in halves(batch, self.bootstrap):
                self.settle(half)
            return True
        if invokes > self.source.retry_attempts:
            self._give_up(batch, RETRIES_EXHAUSTED, invokes)
            return True
        return False

    def _give_up(self, batch: Batch, condition: str, invokes: int) -> None:
        """A record too large for any invoke blocks a source without on-failure topic for ever, as on AWS: skipped."""
        self.partition.note(f"giving up on {_name(batch)}: {condition} after {invokes} invokes")
        given_up = GivenUp(self.source.function, condition, invokes, self.now())
        if self.source.on_failure is not None:
            for record in batch.records:
                message = failure_message(record, given_up, self.bootstrap)
                self.partition.publish(self.source.on_failure, record.key, message)
        self.partition.commit(batch.next_offset)


def _name(batch: Batch) -> str:
    first, last = batch.first, batch.records[-1]
    return f"{first.topic}-{first.partition} offsets {first.offset} to {last.offset}"
