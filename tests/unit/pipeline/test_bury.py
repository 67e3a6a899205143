"""Bury: what ended in failure is stored with its reason, once."""

from __future__ import annotations

from uuid import UUID

import pytest

from nofy.domain.dead_letters import DeadLetter, Kind, value
from nofy.domain.errors import StoreUnavailableError
from nofy.domain.lifecycle import Status
from nofy.domain.outcomes import Rejected, RejectionKind
from nofy.domain.records import InboundRecord
from nofy.domain.routing import DLQ_TOPIC, ESM_FAILURES_TOPIC
from nofy.pipeline.bury import bury
from tests.fakes import ManualClock, MemoryStore
from tests.fakes.world import World

LETTER = DeadLetter(Kind.DELIVERY, "exhausted: 503", UUID(int=1), 3)


def record(content: bytes, topic: str = DLQ_TOPIC, offset: int = 7) -> InboundRecord:
    return InboundRecord(topic, 0, offset, None, content, 0)


def stored(*records: InboundRecord) -> list[DeadLetter]:
    store = MemoryStore(ManualClock())
    bury(records, store)
    bury(records, store)  # at least once is what Kafka promises
    return [row.letter for row in store.tables.dead_letters]


def test_a_dead_letter_is_stored_as_it_was_written() -> None:
    unreadable = DeadLetter(Kind.RECORD, "not JSON", source="a/0/1", raw=b"\xff\x00")
    assert stored(record(value(LETTER)), record(value(unreadable), offset=8)) == [LETTER, unreadable]


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b'{"v":1,"kind":"delivery"}', b'{"v":1,"kind":"?"}'])
def test_a_dead_letter_nobody_can_read_is_buried_as_it_is(content: bytes) -> None:
    (letter,) = stored(record(content))
    assert (letter.kind, letter.source, letter.raw) == (Kind.RECORD, f"{DLQ_TOPIC}/0/7", content)


def test_a_batch_that_its_event_source_gave_up_on_is_buried_with_its_bytes() -> None:
    (letter,) = stored(record(b'{"requestContext": {}}', ESM_FAILURES_TOPIC))
    assert (letter.kind, letter.raw) == (Kind.BATCH, b'{"requestContext": {}}')


def test_one_failure_told_twice_is_one_dead_letter() -> None:
    assert stored(record(value(LETTER)), record(value(LETTER), offset=8)) == [LETTER]


def test_a_store_that_is_down_is_raised_so_that_the_batch_comes_again(world: World) -> None:
    world.sender.answers = [Rejected(RejectionKind.CONTENT, "msg_too_long")]
    delivery = world.accepted()
    world.dispatch()
    world.consume()
    world.acknowledge()
    with world.faults.down(StoreUnavailableError("down"), "bury"), pytest.raises(StoreUnavailableError):
        world.bury()
    world.bury()
    assert (world.status(delivery), world.dead_letters()) == (Status.FAILED, ["rejected_content: msg_too_long"])
