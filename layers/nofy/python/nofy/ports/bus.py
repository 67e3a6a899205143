"""Kafka: work out, facts back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.records import OutboundRecord


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a record lies."""

    partition: int
    offset: int


class Bus(Protocol):
    """A producer that waits for all in-sync replicas."""

    def publish(self, records: Sequence[OutboundRecord]) -> list[Placement | None]:
        """Produce in order; None for a record that was not acknowledged in time (it may still arrive)."""


class Offsets(Protocol):
    """How far topics reach and their consumers are; raises :class:`nofy.domain.errors.BusUnavailableError`."""

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The next offset each partition's group will read; partitions never committed are absent."""

    def ends(self, topic: str) -> dict[int, int] | None:
        """The offset that each partition's next record gets; None where the broker cannot be believed about it."""
