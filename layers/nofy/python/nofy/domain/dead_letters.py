"""What ended in failure, with its reason, and grouped with others that failed the same way."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from nofy.domain.errors import UnreadableRecordError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.outcomes import storable
from nofy.domain.records import VERSION, InboundRecord, load, optional, whole


class Kind(StrEnum):
    """What kind of thing a dead letter is."""

    DELIVERY = "delivery"  # a delivery that was given up, or left as unknown
    RECORD = "record"  # a record nobody could read
    BATCH = "batch"  # a batch its consumer could not finish, from the event source's on-failure route


class Standing(StrEnum):
    """What became of a delivery's dead letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


# Why a dead letter is discarded by itself: late truth made its delivery sent, and nothing is left to be done.
ACCEPTED_AFTER_ALL = "accepted after all"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A failure and where it came from. ``source`` names a record: ``topic/partition/offset``."""

    kind: Kind
    reason: str
    delivery_id: UUID | None = None
    attempt_no: int | None = None
    source: str | None = None
    raw: bytes | None = None

    @property
    def fingerprint(self) -> str:
        """The same for failures with the same cause: numbers and ids in the reason do not count."""
        cause = _VARIABLE.sub("#", self.reason.lower())
        return hashlib.sha256(f"{self.kind}|{cause}".encode()).hexdigest()[:16]


# E-mail addresses, quoted text, ids (UUIDs, TypeIDs, hexadecimal runs) and digits differ between failures of one cause.
_VARIABLE = re.compile(
    r"[^\s@]+@[^\s@]+|'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b[a-z]{3}_[0-9a-z]{26}\b|\b[0-9a-f]{8,}\b|\d+"
)


def of_record(record: InboundRecord, reason: str) -> DeadLetter:
    """The dead letter of a record nobody could read, with its bytes."""
    source = f"{record.topic}/{record.partition}/{record.offset}"
    return DeadLetter(Kind.RECORD, reason, source=source, raw=record.value)


def of_event_source_failure(record: InboundRecord) -> DeadLetter:
    """The dead letter of a batch that Lambda's event source gave up on; its bytes name the offsets lost."""
    source = f"{record.topic}/{record.partition}/{record.offset}"
    return DeadLetter(Kind.BATCH, "the event source gave up on a batch", source=source, raw=record.value)


def value(letter: DeadLetter) -> bytes:
    """The value of a record on the dlq topic; raw bytes travel as base64."""
    return json_bytes(
        {
            "v": VERSION,
            "kind": letter.kind.value,
            "reason": letter.reason,
            "delivery_id": str(letter.delivery_id) if letter.delivery_id else None,
            "attempt_no": letter.attempt_no,
            "source": letter.source,
            "raw": base64.b64encode(letter.raw).decode() if letter.raw is not None else None,
        },
    )


def read(record: InboundRecord) -> DeadLetter:
    """A record of the dlq topic as a dead letter; one that is itself unreadable becomes one of kind record."""
    try:
        return _from_json(load(record.value))
    except UnreadableRecordError as error:
        return of_record(record, str(error))


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text: {value!r}")
    return storable(value)


def _from_json(document: dict[str, Any]) -> DeadLetter:
    try:
        raw = document.get("raw")
        return DeadLetter(
            Kind(document["kind"]),
            _words(document["reason"]),
            UUID(document["delivery_id"]) if document.get("delivery_id") else None,
            optional(whole, document.get("attempt_no")),
            optional(_words, document.get("source")),
            base64.b64decode(raw, validate=True) if raw is not None else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableRecordError(f"not a dead letter: {error!r}") from error
