"""The way to a channel's sender function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.routing import Provider


class Sender(Protocol):
    """One synchronous invoke, never repeated: a repeated invoke is a repeated message."""

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        """One outcome for each delivery, in order.

        Raises :class:`~nofy.domain.errors.InvokeRefusedError` when the sender certainly did not run, and
        :class:`~nofy.domain.errors.InvokeUncertainError` when it may have.
        """

    def weigh(self, delivery: Leased) -> int:
        """Bytes this delivery adds to an invoke."""
