"""Identifiers: UUIDv7 inside, TypeID (``ntf_01h2…``) at the edge.

A UUIDv7 starts with its birth in milliseconds, so the primary key itself is the time that tables are
partitioned by: keys stay unique across partitions, which a separate time column would not give.
The prefix exists at the edge only; PostgreSQL stores a plain ``uuid``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Callable

# Crockford's base32 in lower case, as the TypeID specification 0.3 has it.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE_OF = {character: value for value, character in enumerate(_ALPHABET)}
_SUFFIX_LENGTH = 26  # 26 x 5 bits hold 128, so the first character is at most 7
# Two characters at once: two ids are written for each notification that is accepted, and the standard library's base32,
# itself Python, takes twice as long (4.6 us an id, against 2.3).
_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]
_SHIFTS = range(120, -1, -10)
# Of a UUIDv7's lower eighty bits: what is left to chance, and its version and variant.
_RANDOM = (1 << 80) - 1 & ~(0xF << 76 | 0b11 << 62)
_VERSION_7 = 7 << 76 | 0b10 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# The namespace of everything derived by UUIDv5, so that the same facts give the same id everywhere.
NAMESPACE = UUID("6f0a4f5e-3a0e-5a53-9d5e-4e6f66790001")


class Prefix(StrEnum):
    """What kind of thing an id names."""

    PROJECT = "prj"
    KEY = "key"
    INTEGRATION = "int"
    NOTIFICATION = "ntf"
    DELIVERY = "dlv"
    ATTEMPT = "att"
    DEAD_LETTER = "dlt"
    USER = "usr"
    INVITATION = "inv"
    AUDIT = "aud"


def milliseconds(moment: datetime, *, up: bool = True) -> int:
    """Whole milliseconds since 1970. A due time is rounded up and the present down, so nothing is ever early."""
    since = moment - _EPOCH
    return -(-since // _MILLISECOND) if up else since // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """The moment a number of milliseconds after 1970."""
    return _EPOCH + value * _MILLISECOND


def uuid7(now: datetime, random_bytes: bytes) -> UUID:
    """A UUIDv7 (RFC 9562) of the given moment and ten random bytes."""
    return UUID(int=_floor(now) | int.from_bytes(random_bytes[:10], "big") & _RANDOM | _VERSION_7)


def floor_of(moment: datetime) -> UUID:
    """The smallest UUIDv7-shaped value of a moment: ``id >= floor_of(t)`` means "born at t or later".

    Nothing was born before 1970.
    """
    return UUID(int=max(0, _floor(moment)))


# (all ids of a batch are of one moment)
@lru_cache(maxsize=1)
def _floor(moment: datetime) -> int:
    return milliseconds(moment, up=False) << 80


def born(identifier: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return from_milliseconds(identifier.int >> 80)


@dataclass(frozen=True, slots=True)
class IdSource:
    """Makes ids from a clock and a source of randomness, both passed in."""

    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def __call__(self) -> UUID:
        return self.born_at(self.now())

    def born_at(self, moment: datetime) -> UUID:
        """An id of the given moment: all of a batch are of one."""
        return uuid7(moment, self.random_bytes(10))


def encode(prefix: Prefix, identifier: UUID) -> str:
    """The TypeID of a uuid: prefix, underscore, 26 characters of base32."""
    value = identifier.int
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 0x3FF] for shift in _SHIFTS])}"


def decode(prefix: Prefix, text: str) -> UUID | None:
    """The uuid of a TypeID, or None if the text is not one of this kind: an id nobody has, not an error."""
    head, _, suffix = text.rpartition("_")
    if head != prefix or len(suffix) != _SUFFIX_LENGTH or suffix[0] > "7" or not set(suffix) <= _VALUE_OF.keys():
        return None
    value = 0
    for character in suffix:
        value = value << 5 | _VALUE_OF[character]
    return UUID(int=value)


def idempotency_key(delivery_id: UUID, redrive_no: int) -> UUID:
    """The key a provider with idempotency gets: one per delivery and redrive, the same on every retry of it.

    A redrive is a person's wish to send again, so it gets another key than the attempts before it.
    """
    return uuid5(NAMESPACE, f"{delivery_id}/{redrive_no}")
