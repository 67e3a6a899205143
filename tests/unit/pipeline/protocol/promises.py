"""What must hold, counted from the provider's side."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from nofy.domain.lifecycle import ENDED, LIVE, TRANSITIONS, Status
from nofy.domain.outcomes import Accepted
from nofy.domain.records import read_ack
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import ACKS_TOPIC, IDEMPOTENT
from nofy.domain.statistics import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from nofy.domain.delivery import Leased
    from nofy.domain.sending import Message
    from tests.fakes.tables import DeliveryRow
    from tests.unit.pipeline.protocol.machine import Protocol
    from tests.unit.pipeline.protocol.provider import Call

NEXT: dict[Status, set[Status]] = defaultdict(set)
for (_before, _), _after in TRANSITIONS.items():
    NEXT[_before].add(_after)


def at_a_call(history: Protocol, leased: Leased, message: Message) -> Iterator[str]:
    """The provider is called for an attempt under its own lease, in time, with what the row says."""
    delivery, now = leased.fence.delivery_id, history.world.clock()
    row = history.world.row(delivery)
    attempt = row.attempts[leased.fence.attempt_no]
    if delivery in history.cancelled:
        yield "called after its cancellation was confirmed"
    if now < max(leased.fence.due_at, row.due_at):
        yield "called before its time"
    if attempt.leased_at >= row.expires_at:
        yield "begun after its expiry"
    if now > attempt.lease_until:
        yield "called after its lease"
    if row.status is not Status.SENT and (row.status, row.attempt_no) != (Status.SENDING, leased.fence.attempt_no):
        yield f"attempt {leased.fence.attempt_no} called while {row.status} in attempt {row.attempt_no}"
    if (message.destination, message.content) != (row.planned.destination, row.planned.content):
        yield "called with what was edited away"


def at_any_time(history: Protocol) -> Iterator[str]:
    tables = history.world.store.tables
    if tables.accepted != len(tables.deliveries):
        yield "a row is gone"
    if missing := history.confirmed - tables.notifications.keys():
        yield f"answered 202 and not stored: {missing}"
    for key, ids in history.requests.items():
        if sum(each in tables.notifications for each in ids) > 1:
            yield f"stored twice under one idempotency key: {key}"
    if any(each.held_version not in history.providers.refused_versions for each in tables.integrations.values()):
        yield "an integration is held for a credential that nobody refused"
    for row in tables.deliveries.values():
        counts = sum((Counts(**{each.event: 1}) for each in row.happened), Counts(accepted=1))
        if counts.live != (row.status in LIVE) or counts.cancelled != (row.status is Status.CANCELLED):
            yield f"{row.planned.delivery_id} is {row.status} and was counted as {counts}"


def at_the_end(history: Protocol) -> Iterator[str]:
    """After a drain."""
    world = history.world
    calls: dict[UUID, list[Call]] = defaultdict(list)
    for call in history.providers.calls:
        calls[call.leased.fence.delivery_id].append(call)
    said = _said_accepted(history)
    for delivery, row in world.store.tables.deliveries.items():
        told = [*_ends(history, row), *_calls(row, calls[delivery]), *_outcome(row, calls[delivery], delivery in said)]
        yield from (f"{delivery}: {complaint}" for complaint in told)
    if lost := world.store.lost(300):
        yield f"{lost} lost"


def _said_accepted(history: Protocol) -> set[UUID]:
    reports = [read_ack(each.value) for each in history.world.bus.records(ACKS_TOPIC)]
    return {each.delivery_id for each in reports if isinstance(each.outcome, Accepted)}


def _ends(history: Protocol, row: DeliveryRow) -> Iterator[str]:
    delivery = row.planned.delivery_id
    if row.status not in ENDED:
        yield f"never ends: {row.status}"
    if delivery in history.cancelled and row.status is not Status.CANCELLED:
        yield f"was cancelled and is {row.status}"
    letters = [each for each in history.world.store.tables.dead_letters if each.letter.delivery_id == delivery]
    if row.status in (Status.FAILED, Status.UNKNOWN) and row.attempt_no not in {
        each.letter.attempt_no for each in letters
    }:
        yield f"{row.status} without a dead letter"
    if row.redrive_no != sum(each.redriven_at is not None for each in letters):
        yield "redriven more often than its letters were"
    steps = zip(row.statuses, row.statuses[1:], strict=False)
    # An ack may fold two steps into one: sending -> retrying -> sent.
    yield from (f"went from {one} to {two}" for one, two in steps if two not in NEXT[one] | {Status.SENT})


def _calls(row: DeliveryRow, calls: list[Call]) -> Iterator[str]:
    """How often it was called, and taken: once for each time that a person sends it, unless an answer was lost."""
    attempts = Counter(each.leased.fence.attempt_no for each in calls)
    yield from (f"two calls for attempt {number}" for number, count in attempts.items() if count > 1)
    once = row.notification.draft.delivery_mode is DeliveryMode.AT_MOST_ONCE or row.planned.provider in IDEMPOTENT
    for number in range(row.redrive_no + 1):
        taken = [each for each in calls if each.taken and each.leased.redrive_no == number]
        if len(taken) > 1 and (once or any(each.heard for each in taken[:-1])):
            yield f"taken {len(taken)} times in redrive {number}"


def _outcome(row: DeliveryRow, calls: list[Call], said: bool) -> Iterator[str]:
    if row.status is Status.SENT and not any(each.taken for each in calls):
        yield "is sent and nobody took it"
    if said and row.status not in (Status.SENT, Status.CANCELLED):
        yield f"an ack says accepted and it is {row.status}"
    if any(each.taken and each.heard for each in calls) and row.status is not Status.SENT:
        yield f"was taken and is {row.status}"
