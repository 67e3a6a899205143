"""What a sender learnt from one try, as a closed type.

``Unknown`` is the case most systems forget: the request left and no answer came, so the provider may have
acted on it. ``NotTried`` is its opposite: it is certain that nothing was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never


class RejectionKind(StrEnum):
    """What is at fault when a provider refuses for good."""

    CONFIG = "config"  # the integration: every further call would be refused alike
    RECIPIENT = "recipient"  # this address; other recipients are not affected
    CONTENT = "content"  # this message


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. Its id for it, where it gave one."""

    provider_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Throttled:
    """The provider asked for patience; ``retry_after`` in seconds if it said how much."""

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Transient:
    """It failed in a way that may pass, and the provider certainly did not act on it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It was refused for good."""

    kind: RejectionKind
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left; whether the provider acted on it is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotTried:
    """The call was never begun."""

    reason: str


Outcome = Accepted | Throttled | Transient | Rejected | Unknown | NotTried


def name(outcome: Outcome) -> str:
    """The outcome's word on the wire and in the attempts table."""
    return _NAMES[type(outcome)]


_NAMES: dict[type[Outcome], str] = {
    Accepted: "accepted",
    Throttled: "throttled",
    Transient: "transient",
    Rejected: "rejected",
    Unknown: "unknown",
    NotTried: "not_tried",
}


def reason(outcome: Outcome) -> str | None:
    """Why it went as it did, in the provider's words; None for an acceptance."""
    return None if isinstance(outcome, Accepted) else outcome.reason


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as it travels between functions and stands on the attempt row."""
    match outcome:
        case Accepted(provider_message_id):
            known = None if provider_message_id is None else storable(provider_message_id)
            return {"outcome": "accepted", "provider_message_id": known}
        case Throttled(why, retry_after):
            return {"outcome": "throttled", "reason": storable(why), "retry_after": retry_after}
        case Rejected(kind, why):
            return {"outcome": "rejected", "kind": kind.value, "reason": storable(why)}
        case Transient(why) | Unknown(why) | NotTried(why):
            return {"outcome": name(outcome), "reason": storable(why)}
        case _:
            assert_never(outcome)


def storable(words: str) -> str:
    """Somebody else's words without what UTF-8 (half surrogate pairs) or PostgreSQL (NUL) refuses.

    One such character would make a record that nobody can ever apply, and stop its partition for good.
    """
    return words.encode(errors="replace").decode().replace("\0", "?")


def from_json(value: dict[str, Any]) -> Outcome:
    """The inverse of :func:`to_json`; KeyError or ValueError for what is no outcome."""
    match value["outcome"]:
        case "accepted":
            return Accepted(value.get("provider_message_id"))
        case "throttled":
            return Throttled(value["reason"], value.get("retry_after"))
        case "rejected":
            return Rejected(RejectionKind(value["kind"]), value["reason"])
        case "transient":
            return Transient(value["reason"])
        case "unknown":
            return Unknown(value["reason"])
        case "not_tried":
            return NotTried(value["reason"])
        case other:
            raise ValueError(f"no such outcome: {other!r}")
