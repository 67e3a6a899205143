"""What a run comes to: promises, rows and the provider's ledger held against one another. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from nofy.domain.lifecycle import LIVE, TRANSITIONS, Status
from nofy.domain.routing import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faults.client import Promise
    from faults.provider import Call

MOVES = {(before, after) for (before, _), after in TRANSITIONS.items()}
# Clocks of one machine, read by two programs.
TOLERANCE_SECONDS = 0.005


@dataclass(frozen=True)
class Row:
    """A delivery as PostgreSQL has it at the end; ``changed_at`` in seconds since 1970."""

    status: Status
    project_id: UUID
    changed_at: float


@dataclass(frozen=True)
class Move:
    """One change of a delivery."""

    delivery_id: UUID
    old_status: Status
    status: Status
    old_attempt_no: int
    attempt_no: int


@dataclass(frozen=True)
class Evidence:
    """All that is known about some promises."""

    promises: Sequence[Promise]
    rows: dict[UUID, Row]
    moves: Sequence[Move]
    calls: Sequence[Call]
    due: dict[tuple[UUID, int], float]  # of each attempt
    unanswered: frozenset[tuple[UUID, int]]  # attempts whose answer did not come, whoever lost it
    held: Counter[UUID]  # how often each was in the hands of a consumer that was killed
    lost_by_metric: int = 0
    skew: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The figures of a run, and in words what should not have been."""

    accepted: int
    sent: int
    failed: int
    cancelled: int
    expired: int
    live: int
    lost: int
    provider_calls: int
    unique_attempts: int
    duplicates: int
    duplicate_bound: int
    regressions: int
    violations: tuple[str, ...] = field(default=())


def judge(seen: Evidence) -> Verdict:
    ours = {each.delivery_id for each in seen.promises}
    calls = [each for each in seen.calls if UUID(each.delivery_id) in ours]
    taken = Counter(UUID(each.delivery_id) for each in calls if each.accepted)
    count = Counter(row.status for row in seen.rows.values())
    invented = {each for each, row in seen.rows.items() if row.status in _SENT and not taken[each]}
    attempts = {(each.delivery_id, each.attempt_no) for each in calls}
    verdict = Verdict(
        accepted=len(seen.promises),
        sent=sum(count[each] for each in _SENT),
        failed=count[Status.FAILED] + count[Status.UNKNOWN],
        cancelled=count[Status.CANCELLED],
        expired=count[Status.EXPIRED],
        live=sum(count[each] for each in LIVE),
        lost=len(ours - seen.rows.keys()) + len(invented) + seen.lost_by_metric,
        provider_calls=len(calls),
        unique_attempts=len(attempts),
        duplicates=sum(each - 1 for each in taken.values()),
        duplicate_bound=(_held(seen) + _unanswered(seen, calls)).total(),
        regressions=sum(not _forward(each) for each in seen.moves),
    )
    violations = (*_counted(verdict, seen), *_taken_again(seen, calls, taken), *_provider_side(seen, calls))
    return Verdict(**{**vars(verdict), "violations": violations})


_SENT = (Status.SENT, Status.DELIVERED, Status.UNDELIVERED)


def _held(seen: Evidence) -> Counter[UUID]:
    """What a provider without idempotency may be asked for again, since nobody knows how far its consumer came."""
    return Counter({each.delivery_id: seen.held[each.delivery_id] for each in seen.promises if not _idempotent(each)})


def _unanswered(seen: Evidence, calls: list[Call]) -> Counter[UUID]:
    """Taken by a provider without idempotency whose answer never came: who asks again may send twice."""
    unsure = (
        UUID(each.delivery_id)
        for each in calls
        if each.accepted and each.provider != "brevo" and _key(each) in seen.unanswered
    )
    return Counter(unsure)


def _key(call: Call) -> tuple[UUID, int]:
    return UUID(call.delivery_id), call.attempt_no


def _idempotent(promise: Promise) -> bool:
    return promise.channel is Channel.EMAIL


def _forward(move: Move) -> bool:
    same = move.old_status == move.status
    return move.attempt_no >= move.old_attempt_no and (same or (move.old_status, move.status) in MOVES)


def _counted(verdict: Verdict, seen: Evidence) -> Iterator[str]:
    if len({each.delivery_id for each in seen.promises}) != verdict.accepted:
        yield "one id was promised twice"
    ended = verdict.sent + verdict.failed + verdict.cancelled + verdict.expired
    if ended + verdict.live != verdict.accepted:
        yield f"{verdict.accepted} accepted are not {ended} ended and {verdict.live} live"
    if verdict.live:
        yield f"{verdict.live} still live: nothing works on them"
    if verdict.lost:
        yield f"{verdict.lost} lost"
    if verdict.duplicates > verdict.duplicate_bound:
        yield f"{verdict.duplicates} sent twice, where {verdict.duplicate_bound} may have been"
    if verdict.provider_calls != verdict.unique_attempts:
        yield f"{verdict.provider_calls} calls for {verdict.unique_attempts} attempts"
    if verdict.regressions:
        yield f"{verdict.regressions} changes backwards"


def _taken_again(seen: Evidence, calls: list[Call], taken: Counter[UUID]) -> Iterator[str]:
    """Each delivery by itself: what one consumer held excuses no second send of what it did not."""
    excused = _held(seen) + _unanswered(seen, calls)
    for promise in seen.promises:
        identifier, times = promise.delivery_id, taken[promise.delivery_id]
        if times > 1 and _idempotent(promise):
            yield f"{identifier} was taken {times} times in spite of its idempotency key"
        elif times > 1 + excused[identifier]:
            yield f"{identifier} was taken {times} times, where {1 + excused[identifier]} could not be avoided"


def _provider_side(seen: Evidence, calls: list[Call]) -> Iterator[str]:
    promised = {each.delivery_id: each for each in seen.promises}
    for call in calls:
        identifier = UUID(call.delivery_id)
        row = seen.rows.get(identifier)
        if row and row.status in (Status.CANCELLED, Status.EXPIRED) and call.at > row.changed_at:
            yield f"{identifier} was sent after it was {row.status}"
        if not call.credential.startswith(f"{promised[identifier].project_id}:"):
            yield f"{identifier} was sent with another project's credential"
        due = seen.due.get((identifier, call.attempt_no))
        if due is None:
            yield f"{identifier} was sent as attempt {call.attempt_no}, which is nowhere"
        elif call.at < due - seen.skew - TOLERANCE_SECONDS:
            yield f"{identifier} was sent {due - call.at:.3f} s early"
    for identifier, row in seen.rows.items():
        if row.project_id != promised[identifier].project_id:
            yield f"{identifier} is another project's"
