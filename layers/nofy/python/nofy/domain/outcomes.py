"""What a sender learnt from one try, as a closed type.

``Unknown`` is the case most systems forget: the request left and no answer came, so the provider may have
acted on it. ``NotTried`` is its opposite: it is certain that nothing was asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, assert_never

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class RejectionKind(StrEnum):
    """What is at fault when a provider refuses for good."""

    CONFIG = "config"  # the integration: every further call would be refused alike
    RECIPIENT = "recipient"  # this address; other recipients are not affected
    CONTENT = "content"  # this message


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked of a provider and what came back, as far as anybody may see it: no header, no content.

    ``path`` is the adapter's own word for what it asked (``/smtp/email``), never the address itself, which may be a
    secret. ``http_status`` and ``provider_code`` are None where no answer came, or none with a code.
    """

    method: str
    path: str
    duration_ms: int
    http_status: int | None = None
    provider_code: str | None = None


def word(code: Any) -> str | None:
    """A provider's error code, if it is one: a short word or a number, and nothing that could carry a message."""
    return str(code) if isinstance(code, str | int) and _WORD.fullmatch(str(code)) else None


@dataclass(frozen=True, slots=True)
class _Told:
    """What every outcome may carry. It says how one came to know, and is no part of what is known."""

    exchange: Exchange | None = field(default=None, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Accepted(_Told):
    """The provider took the message. Its id for it, where it gave one."""

    provider_message_id: str | None = None


class ThrottleScope(StrEnum):
    """What a throttle speaks of."""

    DESTINATION = "destination"  # messages to this address; the integration may go on calling for others
    INTEGRATION = "integration"  # every call under this credential


@dataclass(frozen=True, slots=True)
class Throttled(_Told):
    """The provider asked for patience; ``retry_after`` in seconds if it said how much."""

    reason: str
    retry_after: float | None = None
    scope: ThrottleScope = ThrottleScope.INTEGRATION


@dataclass(frozen=True, slots=True)
class Transient(_Told):
    """It failed in a way that may pass, and the provider certainly did not act on it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected(_Told):
    """It was refused for good."""

    kind: RejectionKind
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown(_Told):
    """The request left; whether the provider acted on it is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotTried(_Told):
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
    facts = _facts(outcome)
    if exchange := outcome.exchange:
        # (by hand: every call makes one, and asdict takes as long as all the rest of it)
        facts["exchange"] = {
            "method": exchange.method,
            "path": exchange.path,
            "duration_ms": exchange.duration_ms,
            "http_status": exchange.http_status,
            "provider_code": exchange.provider_code,
        }
    return facts


def _facts(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Accepted(provider_message_id):
            known = None if provider_message_id is None else storable(provider_message_id)
            return {"outcome": "accepted", "provider_message_id": known}
        case Throttled(why, retry_after, scope):
            told = {"outcome": "throttled", "reason": storable(why), "retry_after": retry_after}
            return {**told, "scope": scope.value}
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
    return _read(value["outcome"], value, exchange_of(value.get("exchange")))


def exchange_of(value: Any) -> Exchange | None:
    """What was told of an exchange. None if it cannot be read: an outcome is not lost for its footnote."""
    match value:
        case {"method": str(method), "path": str(path), "duration_ms": int(duration)}:
            status = value.get("http_status")
            known = status if isinstance(status, int) else None
            return Exchange(storable(method), storable(path), duration, known, word(value.get("provider_code")))
        case _:
            return None


def _read(kind: Any, value: dict[str, Any], exchange: Exchange | None) -> Outcome:
    match kind:
        case "accepted":
            return Accepted(value.get("provider_message_id"), exchange=exchange)
        case "throttled":
            # What was written before throttles had a scope is read the careful way.
            scope = ThrottleScope(value.get("scope", ThrottleScope.INTEGRATION))
            return Throttled(value["reason"], value.get("retry_after"), scope, exchange=exchange)
        case "rejected":
            return Rejected(RejectionKind(value["kind"]), value["reason"], exchange=exchange)
        case "transient":
            return Transient(value["reason"], exchange=exchange)
        case "unknown":
            return Unknown(value["reason"], exchange=exchange)
        case "not_tried":
            return NotTried(value["reason"], exchange=exchange)
        case other:
            raise ValueError(f"no such outcome: {other!r}")
