"""Magic destinations: how a message that a test token sent goes, instead of a call to a provider. Pure.

Each outcome has an address on every channel that can belong to nobody: ``.example`` is reserved (RFC 2606), no
exchange of the North American numbering plan begins with 0, and no id or name of Slack has both capitals and
hyphens. Whatever is no magic destination is accepted. ``docs/testing.md`` is this table for those who use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain.outcomes import (
    Accepted,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.domain.sending import Message

# ``throttled@simulated.example``, also as ``throttled+anything@``; ``C0SIM-THROTTLED``; ``+15550100101``.
EMAIL_DOMAIN = "simulated.example"
SLACK_PREFIX = "C0SIM-"
PHONE_PREFIX = "+1555010010"

# How long a simulated throttle asks to wait (seconds), and how many tries the flaky one fails.
RETRY_AFTER = 2.0
FLAKY_TRIES = 2

_REASON = "simulated"


def _throttled(attempt: int) -> Outcome | None:
    """Once: a throttle spends no attempt, so one that never ended would go on until the delivery expires."""
    return Throttled(_REASON, RETRY_AFTER, ThrottleScope.DESTINATION) if attempt == 1 else None


def _flaky(attempt: int) -> Outcome | None:
    return Transient(_REASON) if attempt <= FLAKY_TRIES else None


def _lost(attempt: int) -> Outcome | None:
    return Unknown(_REASON) if attempt == 1 else None


# By name, in the order of the phone numbers' last digit. None: accepted.
OUTCOMES: dict[str, Callable[[int], Outcome | None]] = {
    "accepted": lambda _: None,
    "throttled": _throttled,
    "flaky": _flaky,
    "unavailable": lambda _: Transient(_REASON),
    "recipient-refused": lambda _: Rejected(RejectionKind.RECIPIENT, _REASON),
    "content-refused": lambda _: Rejected(RejectionKind.CONTENT, _REASON),
    "credential-refused": lambda _: Rejected(RejectionKind.CONFIG, _REASON),
    "answer-lost": _lost,
    "unknown": lambda _: Unknown(_REASON),
}


def outcome(message: Message) -> Outcome:
    """What a simulated provider says to a message at this attempt."""
    found = OUTCOMES[name(message.destination) or "accepted"](message.attempt)
    return found or Accepted(f"test_{message.delivery_id.hex}")


def name(destination: str) -> str | None:
    """The outcome that a destination asks for; None if it is none of ours."""
    local, at, domain = destination.lower().partition("@")
    if at:
        asked = local.partition("+")[0] if domain == EMAIL_DOMAIN else ""
    elif destination.startswith(PHONE_PREFIX):
        asked = _PHONES.get(destination, "")
    else:
        asked = destination.removeprefix(SLACK_PREFIX).lower() if destination.startswith(SLACK_PREFIX) else ""
    return asked if asked in OUTCOMES else None


_PHONES = {f"{PHONE_PREFIX}{digit}": each for digit, each in enumerate(OUTCOMES)}
