"""Which key signs console tokens now, which ones verifiers must still know, and when another one is due.

Verifiers keep the public keys for ``JWKS_CACHED`` and look again, at most every ``REFETCH_EVERY``, when a token names
a key they do not know. So that no token is ever refused for its key's sake:

* a key is published before it may sign: ``LEAD`` is longer than any verifier or signer stays without looking;
* a key stays published until the last token it can have signed has expired everywhere (:func:`last_seen`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN_LIFETIME = timedelta(minutes=15)
# How long a verifier believes the public keys it has, and a signer the private ones.
JWKS_CACHED = timedelta(minutes=5)
SIGNER_CACHED = timedelta(minutes=5)
REFETCH_EVERY = timedelta(seconds=30)
# From a key's birth to its first signature.
LEAD = timedelta(minutes=15)
# For clocks that disagree, and a run of the function that made the key and was slow to publish the rest.
MARGIN = timedelta(minutes=5)
REPLACED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in PEM, and when it was made and may sign. Its public half is known by ``kid``."""

    kid: str
    created: datetime
    active_from: datetime
    private_pem: str = field(default="", repr=False)


def signer(keys: Iterable[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs now: the youngest that may; None before there is any."""
    return max((each for each in keys if each.active_from <= now), key=_age, default=None)


def due(keys: Iterable[SigningKey], now: datetime) -> bool:
    """Whether another key must be made: there is none, or the youngest is ``REPLACED_AFTER`` old."""
    return all(each.created + REPLACED_AFTER <= now for each in keys)


def first_use(keys: Iterable[SigningKey], now: datetime) -> datetime:
    """From when a key made now may sign. The very first one at once: nobody knows any other."""
    return now + LEAD if any(True for _ in keys) else now


def last_seen(successor: SigningKey) -> datetime:
    """Until when the key before ``successor`` must stay published.

    A signer that has not looked since uses it no longer than ``SIGNER_CACHED`` after its successor's turn came.
    """
    return successor.active_from + SIGNER_CACHED + TOKEN_LIFETIME + MARGIN


def kept(keys: Iterable[SigningKey], now: datetime) -> tuple[SigningKey, ...]:
    """The keys that sign, will sign, or have signed tokens somebody may still hold; oldest first."""
    ordered = sorted(keys, key=_age)
    return tuple(
        each for each, successor in zip_longest(ordered, ordered[1:]) if successor is None or now < last_seen(successor)
    )


def _age(key: SigningKey) -> tuple[datetime, datetime, str]:
    """Keys of one moment have an order too, the same for everybody."""
    return key.active_from, key.created, key.kid
