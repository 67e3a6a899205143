"""A delivery as the pipeline sees it: its fence, its state, and what a report does to it.

``attempt_no`` is a fencing number: every lease takes a new one, so a record or a report that carries an older
one belongs to the past. ``spent`` is what the retry policy counts. They part company at a throttle, a hold or a
call never begun, which raise ``attempt_no`` and leave ``spent``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from nofy.domain import outcomes, retry
from nofy.domain.lifecycle import Event, Status, advance, allowed
from nofy.domain.outcomes import Accepted, Outcome
from nofy.domain.retry import KEY_LIFE, Decision, DeliveryMode, Done, GiveUp, Hold, LeaveUnknown, Park, Retry, Tried
from nofy.domain.routing import IDEMPOTENT

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.routing import Channel, Lane, Priority, Provider


@dataclass(frozen=True, slots=True)
class Fence:
    """What a delivery's row must still say for work begun under it to go on."""

    delivery_id: UUID
    attempt_no: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due delivery as the dispatcher reads it."""

    fence: Fence
    project_id: UUID
    lane: Lane
    destination: str
    expires_at: datetime
    integration_held: bool
    weight: int  # its project's, beside others with due work in the lane


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery in hand: its attempt is begun and nobody else will call the provider for it."""

    fence: Fence
    project_id: UUID
    notification_id: UUID
    integration_id: UUID
    channel: Channel
    provider: Provider
    priority: Priority
    destination: str
    content: dict[str, Any]
    settings: dict[str, Any]
    credential: bytes  # sealed: only the sender can open it
    credential_version: int
    delivery_mode: DeliveryMode
    expires_at: datetime
    spent: int
    redrive_no: int
    live: bool  # False: made with a test token, stops at a simulated provider
    in_doubt_since: datetime | None = None  # when the first call under this key began whose answer never came

    @property
    def tried(self) -> Tried:
        idempotent = self.provider in IDEMPOTENT
        return Tried(
            self.spent, self.priority, self.delivery_mode, self.expires_at, idempotent, self.in_doubt_since, self.live
        )

    @property
    def ask_until(self) -> datetime | None:
        """The last moment to ask a provider with idempotency again after a lost answer; None: not in doubt."""
        in_doubt = self.provider in IDEMPOTENT and self.in_doubt_since
        return in_doubt + KEY_LIFE if in_doubt else None

    @property
    def latest(self) -> datetime:
        """From here on a call would be of no use."""
        return min(self.expires_at, self.ask_until or self.expires_at)


@dataclass(frozen=True, slots=True)
class State:
    """What the acks handler may change about a delivery."""

    delivery_id: UUID
    project_id: UUID
    status: Status
    attempt_no: int
    spent: int
    due_at: datetime
    lane: Lane
    integration_id: UUID
    provider_message_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An attempt's outcome and the decision taken from it, once; what an acks record carries."""

    delivery_id: UUID
    attempt_no: int
    outcome: Outcome
    decision: Decision
    finished_at: datetime
    credential_version: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One delivery's step from ``before`` to ``after``; it applies only where ``before`` still holds."""

    before: State
    after: State
    reports: tuple[Report, ...]

    @property
    def held_credential(self) -> int | None:
        """The credential version that was refused, if this change holds the delivery."""
        if self.after.status is not Status.HELD:
            return None
        return next((r.credential_version for r in self.reports if isinstance(r.decision, Hold)), None)


def fold(state: State, reports: list[Report]) -> Change:
    """All of a delivery's reports, in the order in which they were produced, as one change."""
    after = state
    for report in reports:
        after = settle(after, report)
    return Change(state, after, tuple(reports))


def settle(state: State, report: Report) -> State:
    """The state after a report; the same state where the report has nothing (more) to say.

    A report on the current attempt applies while the delivery is being sent. An acceptance of the current or an
    earlier attempt is true whenever it arrives. All else is late, and applying it twice changes nothing.
    """
    if state.status is Status.SENDING and report.attempt_no == state.attempt_no:
        return _apply(state, report)
    if isinstance(report.outcome, Accepted) and report.attempt_no <= state.attempt_no:
        return _believe(state, report.outcome)
    return state


def _believe(state: State, accepted: Accepted) -> State:
    known = state.provider_message_id or accepted.provider_message_id
    if allowed(state.status, Event.LATE_ACCEPTED):
        status = advance(state.status, Event.LATE_ACCEPTED)
        return replace(state, status=status, provider_message_id=known, reason=None)
    # Where the status cannot follow (cancelled, or already sent) the provider's id is still worth keeping.
    return replace(state, provider_message_id=known)


def _apply(state: State, report: Report) -> State:
    why = outcomes.reason(report.outcome)
    match report.decision:
        case Done():
            known = report.outcome.provider_message_id if isinstance(report.outcome, Accepted) else None
            sent = advance(state.status, Event.ACCEPTED)
            return replace(state, status=sent, provider_message_id=known, reason=None)
        case Retry(at):
            return _again(state, Event.RETRIED, why, due_at=at, spent=state.spent + 1)
        case Park(at):
            return _again(state, Event.PARKED, why, due_at=at)
        case Hold(reason):
            return _again(state, Event.HELD, reason)
        case GiveUp(reason):
            return replace(state, status=advance(state.status, Event.GIVEN_UP), reason=reason)
        case LeaveUnknown(reason):
            return replace(state, status=advance(state.status, Event.DOUBTED), reason=reason)
        case _:
            assert_never(report.decision)


def _again(state: State, event: Event, reason: str | None, **changes: Any) -> State:
    return replace(
        state,
        status=advance(state.status, event),
        attempt_no=state.attempt_no + 1,
        reason=reason,
        **changes,
    )


def report_to_json(report: Report) -> dict[str, Any]:
    """The outcome and decision of a report, flat, as an acks record and an attempt row carry them."""
    return {
        **outcomes.to_json(report.outcome),
        "decided": retry.to_json(report.decision),
        "finished_at": report.finished_at.isoformat(),
        "credential_version": report.credential_version,
    }
