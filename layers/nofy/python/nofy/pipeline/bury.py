"""Bury: what ended in failure is stored with its reason, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.domain import dead_letters
from nofy.domain.routing import ESM_FAILURES_TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.dead_letters import DeadLetter
    from nofy.domain.records import InboundRecord
    from nofy.ports.store import Burials


@dataclass(frozen=True, slots=True)
class Buried:
    """What a batch came to: records, and how many new dead letters of live deliveries (or of nobody knows what)."""

    records: int
    dead_letters: int


def bury(records: Sequence[InboundRecord], store: Burials) -> Buried:
    """Store a batch of the dlq or esm-failures topic; what cannot be read is buried as it is."""
    letters = [_letter(each) for each in records]
    return Buried(len(records), store.bury(letters))


def _letter(record: InboundRecord) -> DeadLetter:
    if record.topic == ESM_FAILURES_TOPIC:
        return dead_letters.of_event_source_failure(record)
    return dead_letters.read(record)
