"""Erasure: a person asks to be forgotten, and is told what cannot be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.domain.timing import TOPIC_RETENTION

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.administration.occasion import Occasion
    from nofy.ports.accounts import Belongings, Erased

_DAYS = TOPIC_RETENTION // (24 * 3600)
REMAINS = (
    "What providers were handed before is theirs to erase: ask Slack, Brevo and Meta.",
    f"Kafka keeps records of deliveries and dead letters for {_DAYS} days: ids, and providers' words for refusals.",
    "Backups of the database hold what stood in it until they are past their time, which the operator sets.",
    "Notifications that spelled the address in another way were not found: ask for each spelling of it.",
    "Who signs in here, or was invited, stands among the users, members and invitations of a project.",
    "The audit log says that an erasure took place, and for whom as a hash alone.",
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and what remains, in plain sentences."""

    erased: Erased
    remains: tuple[str, ...]


def erase(project_id: UUID, address: str, occasion: Occasion, belongings: Belongings) -> Erasure:
    """Cancel what waits for an address and blank what is stored about it, in live and test mode.

    What is cancelled needs no word to Redis: an id without a waiting row falls out of the index by itself.
    """
    entry = occasion.entry("recipient.erased", "recipient", address_sha256=fingerprint(project_id, address))
    erased = belongings.erase_recipient(project_id, sorted({address, address.lower()}), entry)
    return Erasure(erased, (*_in_flight(erased), *REMAINS))


def fingerprint(project_id: UUID, address: str) -> str:
    """Tells whether an address was erased to who knows it already; the same address differs between projects."""
    return hashlib.sha256(f"{project_id}\n{address.casefold()}".encode()).hexdigest()


def _in_flight(erased: Erased) -> tuple[str, ...]:
    if not erased.in_flight:
        return ()
    return (f"{erased.in_flight} deliveries were being sent at this moment: ask again in ten minutes.",)
