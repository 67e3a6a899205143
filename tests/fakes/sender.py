"""A provider that answers from a script and writes down every call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nofy.domain.outcomes import Accepted, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Fence, Leased
    from nofy.domain.routing import Provider


class FakeSender:
    """Implements :class:`nofy.ports.sender.Sender`.

    ``answers`` are given one a call, in order; when they are used up, ``otherwise`` answers. ``ledger`` is what the
    provider saw. ``refusal`` is raised before any call is made, ``silence`` after all were.
    """

    def __init__(self, *answers: Outcome) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self.answers = list(answers)
        self.otherwise: Callable[[Leased], Outcome] = self._accept
        self.ledger: list[Leased] = []
        self.batches: list[list[Leased]] = []
        self.deadlines: list[datetime] = []
        self.refusal: BaseException | None = None
        self.silence: BaseException | None = None
        self.weight: Callable[[Leased], int] = lambda _: 1_000

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        if self.refusal:
            raise self.refusal
        with self._lock:
            self.batches.append(list(batch))
            self.deadlines.append(deadline)
            outcomes = [self._call(each) for each in batch]
        if self.silence:
            raise self.silence
        return outcomes

    def weigh(self, delivery: Leased) -> int:
        return self.weight(delivery)

    def calls(self) -> list[Fence]:
        return [each.fence for each in self.ledger]

    def _call(self, leased: Leased) -> Outcome:
        self.ledger.append(leased)
        return self.answers.pop(0) if self.answers else self.otherwise(leased)

    def _accept(self, _: Leased) -> Outcome:
        self._count += 1
        return Accepted(f"message-{self._count}")
