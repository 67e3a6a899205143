"""The one retry policy: from an outcome to a decision, as a pure function.

The caller passes time and randomness in. Nothing here looks at a clock, so the policy is tested as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from nofy.domain.outcomes import (
    Accepted,
    NotTried,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    Transient,
    Unknown,
    name,
)
from nofy.domain.routing import Priority

if TYPE_CHECKING:
    from collections.abc import Callable


class DeliveryMode(StrEnum):
    """What to do when nobody knows whether the provider acted."""

    AT_LEAST_ONCE = "at_least_once"  # try again: twice is better than never
    AT_MOST_ONCE = "at_most_once"  # leave it: never is better than twice


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how far apart one priority is tried: full jitter over ``base * 2^spent``, at most ``cap``."""

    max_attempts: int
    base: float
    cap: float

    def delay(self, spent: int, random: float) -> timedelta:
        """The wait after the ``spent``-th failure; ``random`` in [0, 1)."""
        ceiling = min(self.cap, self.base * 2.0 ** min(spent, 30))
        return timedelta(seconds=random * ceiling)


# Full jitter, base 1 s and cap 300 s are the common advice for all three providers. What is urgent is tried
# sooner and given up sooner; bulk mail has patience.
POLICIES: dict[Priority, Policy] = {
    Priority.HIGH: Policy(max_attempts=6, base=1, cap=60),
    Priority.NORMAL: Policy(max_attempts=8, base=2, cap=300),
    Priority.LOW: Policy(max_attempts=10, base=5, cap=900),
}

# A provider's Retry-After is believed within these bounds (seconds): never zero, never a day by mistake.
RETRY_AFTER_FLOOR = 1.0
RETRY_AFTER_CEILING = 3600.0
# Brevo remembers an idempotency key for thirty minutes. After a lost answer it is asked again within twenty-five of
# the first such call; later a person has to decide, because asking could send twice.
KEY_LIFE = timedelta(minutes=25)
KEY_OVER = "in doubt: the provider may have taken it, and its idempotency key is too old to ask again"
# Where a throttle names no time, and for a call that was never begun.
PARK_DEFAULT = 5.0


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do: the provider has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at ``at``; one attempt is spent."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Park:
    """Try again at ``at``; nothing is spent, since the provider was not given a fair chance."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until the integration is mended; nothing is spent."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It ends as failed, and as a dead letter with this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaveUnknown:
    """It ends as unknown, and as a dead letter: under at-most-once only a person sends again what may be there."""

    reason: str


Decision = Done | Retry | Park | Hold | GiveUp | LeaveUnknown


@dataclass(frozen=True, slots=True)
class Tried:
    """What the policy needs to know about the delivery that was tried."""

    spent: int
    priority: Priority
    delivery_mode: DeliveryMode
    expires_at: datetime
    idempotent: bool = False  # the provider refuses a second call under the delivery's key
    in_doubt_since: datetime | None = None  # a call under that key may have been taken since then
    live: bool = True  # False: no provider was asked

    def ask_until(self, outcome: Outcome, now: datetime) -> datetime | None:
        """The last moment at which asking again cannot send twice; None where that is no question."""
        if not self.idempotent:
            return None
        since = self.in_doubt_since or (now if isinstance(outcome, Unknown) else None)
        return since + KEY_LIFE if since else None


def decide(outcome: Outcome, tried: Tried, now: datetime, random: Callable[[], float]) -> Decision:
    """What happens after this outcome. ``random`` gives numbers in [0, 1)."""
    match outcome:
        case Accepted():
            return Done()
        case Rejected(RejectionKind.CONFIG, reason) if tried.live:
            return Hold(reason)
        case Rejected(kind, reason):
            # A simulated provider may not hold the integration that live messages need.
            return GiveUp(f"rejected_{kind}: {reason}")
        case Throttled(_, retry_after):
            # The jitter lies behind what was asked for.
            return park(outcome, now + timedelta(seconds=patience(retry_after) + random()), tried, now)
        case NotTried():
            return park(outcome, now + timedelta(seconds=PARK_DEFAULT * random()), tried, now)
        case Unknown(reason) if tried.delivery_mode is DeliveryMode.AT_MOST_ONCE:
            return LeaveUnknown(f"unknown: {reason}")
        case Transient(reason) | Unknown(reason):
            return _retry(outcome, f"{name(outcome)}: {reason}", tried, now, random())
        case _:
            assert_never(outcome)


def patience(retry_after: float | None) -> float:
    """Seconds to wait after a throttle: what was asked for, within bounds."""
    asked = PARK_DEFAULT if retry_after is None else retry_after
    return min(max(asked, RETRY_AFTER_FLOOR), RETRY_AFTER_CEILING)


def park(outcome: Outcome, at: datetime, tried: Tried, now: datetime) -> Decision:
    """Wait until a moment that somebody else has named, unless that is too late."""
    ask_until = tried.ask_until(outcome, now)
    if ask_until and at > ask_until:
        return GiveUp(KEY_OVER)
    return GiveUp("expired") if at >= tried.expires_at else Park(at)


def _retry(outcome: Outcome, reason: str, tried: Tried, now: datetime, random: float) -> Decision:
    policy = POLICIES[tried.priority]
    if tried.spent + 1 >= policy.max_attempts:
        return GiveUp(f"exhausted: {reason}")
    at = now + policy.delay(tried.spent, random)
    ask_until = tried.ask_until(outcome, now)
    if ask_until and now >= ask_until:
        return GiveUp(KEY_OVER)
    if ask_until:
        at = min(at, ask_until)
    return GiveUp("expired") if at >= tried.expires_at else Retry(at)


def to_json(decision: Decision) -> dict[str, Any]:
    """The decision as it travels in an acks record and stands on the attempt row."""
    match decision:
        case Done():
            return {"decision": "done"}
        case Retry(at):
            return {"decision": "retry", "at": at.isoformat()}
        case Park(at):
            return {"decision": "park", "at": at.isoformat()}
        case Hold(reason):
            return {"decision": "hold", "reason": reason}
        case GiveUp(reason):
            return {"decision": "give_up", "reason": reason}
        case LeaveUnknown(reason):
            return {"decision": "leave_unknown", "reason": reason}
        case _:
            assert_never(decision)


def from_json(value: dict[str, Any]) -> Decision:
    """The inverse of :func:`to_json`; KeyError or ValueError for what is no decision."""
    match value["decision"]:
        case "done":
            return Done()
        case "retry":
            return Retry(moment(value["at"]))
        case "park":
            return Park(moment(value["at"]))
        case "hold":
            return Hold(value["reason"])
        case "give_up":
            return GiveUp(value["reason"])
        case "leave_unknown":
            return LeaveUnknown(value["reason"])
        case other:
            raise ValueError(f"no such decision: {other!r}")


def moment(text: str) -> datetime:
    """A time in a record; ValueError for one without an offset, which nobody could compare with any other."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"a time without an offset: {text}")
    return found
