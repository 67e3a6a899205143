"""What a consumer has in hand, noted where its death does not reach: a kill may repeat that, and nothing else.

Written by the harness around the sender, before the first call of a batch is made, and laid down when the batch was
handed back. PostgreSQL is not asked: its attempts without an outcome are also those whose acks are on their way.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.routing import Priority, Provider
    from nofy.ports.sender import Sender


class Hands:
    """Those of one lane's consumer: a file of delivery ids, which is there when the process is not."""

    def __init__(self, log: str, priority: Priority) -> None:
        path = Path(log).with_suffix(f".{priority}.held")
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)

    def take(self, batch: Sequence[Leased]) -> None:
        os.write(self._descriptor, b"".join(each.fence.delivery_id.bytes for each in batch))

    def lay_down(self) -> None:
        os.ftruncate(self._descriptor, 0)


class NotingSender:
    """Implements :class:`nofy.ports.sender.Sender` around another one."""

    def __init__(self, sender: Sender, hands: Hands) -> None:
        self._sender = sender
        self._hands = hands

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        self._hands.take(batch)
        return self._sender.send(provider, batch, deadline)

    def weigh(self, delivery: Leased) -> int:
        return self._sender.weigh(delivery)


def fallen(folder: Path, worker: str) -> Counter[UUID]:
    """What a dead worker held on all its lanes. Asked once: the notes go with it."""
    held: Counter[UUID] = Counter()
    for path in folder.glob(f"{worker}.*.held"):
        noted = path.read_bytes()
        held.update(UUID(bytes=noted[start : start + 16]) for start in range(0, len(noted), 16))
        path.unlink()
    return held
