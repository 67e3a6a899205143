from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bridge.event import Batch, Record, make_batch

if TYPE_CHECKING:
    from collections.abc import Callable

BOOTSTRAP = "127.0.0.1:19092"


def record(offset: int, value: bytes | None = b"{}", key: bytes | None = b"k", **changes) -> Record:
    return Record(
        **{
            "topic": "nofy.acks.v1",
            "partition": 1,
            "offset": offset,
            "timestamp": 1_795_343_102_387,
            "key": key,
            "value": value,
            **changes,
        }
    )


@pytest.fixture
def batch() -> Callable[[int, int], Batch]:
    """A batch of the offsets from the first up to and including the last."""
    return lambda first, last: make_batch([record(offset) for offset in range(first, last + 1)], BOOTSTRAP)


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return record
