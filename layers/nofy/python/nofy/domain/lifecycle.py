"""The one table that says what may happen next to a delivery.

Every pair of status and event is either in :data:`TRANSITIONS` or refused; a property test holds that. Effects
(schedule, send, count) live elsewhere: this module only answers "may it, and what is it then?".
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a delivery is."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    RETRYING = "retrying"
    HELD = "held"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Event(StrEnum):
    """What happened to a delivery."""

    DISPATCHED = "dispatched"  # its record is in Kafka
    LEASED = "leased"  # an attempt was begun
    ACCEPTED = "accepted"  # the provider took it
    RETRIED = "retried"  # tried in vain, due again later
    PARKED = "parked"  # not tried, or throttled: due again later, nothing spent
    HELD = "held"  # its integration's credential was refused
    RELEASED = "released"  # its integration was mended
    GIVEN_UP = "given_up"  # refused for good, exhausted or expired while being tried
    DOUBTED = "doubted"  # at-most-once, and nobody knows whether it was sent
    LATE_ACCEPTED = "late_accepted"  # an earlier attempt turns out to have been taken
    REQUEUED = "requeued"  # its record was lost: it is dispatched again
    EXPIRED = "expired"  # nobody wants it any more
    CANCELLED = "cancelled"  # its sender changed their mind
    MOVED = "moved"  # its sender changed the time
    REDRIVEN = "redriven"  # a person sends it again
    DELIVERED = "delivered"  # the provider's receipt: it arrived
    UNDELIVERED = "undelivered"  # the provider's receipt: it did not


class TransitionRefusedError(Exception):
    """This event may not happen to a delivery in this status."""

    def __init__(self, status: Status, event: Event) -> None:
        super().__init__(f"a {status} delivery cannot be {event}")
        self.status = status
        self.event = event


_S, _E = Status, Event

TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (_S.SCHEDULED, _E.DISPATCHED): _S.QUEUED,
    (_S.SCHEDULED, _E.LEASED): _S.SENDING,  # the consumer may be quicker than the dispatcher's update
    (_S.SCHEDULED, _E.HELD): _S.HELD,  # due, and its integration is held
    (_S.SCHEDULED, _E.MOVED): _S.SCHEDULED,
    (_S.SCHEDULED, _E.CANCELLED): _S.CANCELLED,
    (_S.SCHEDULED, _E.EXPIRED): _S.EXPIRED,
    (_S.SCHEDULED, _E.LATE_ACCEPTED): _S.SENT,
    (_S.QUEUED, _E.LEASED): _S.SENDING,
    (_S.QUEUED, _E.REQUEUED): _S.SCHEDULED,
    (_S.QUEUED, _E.GIVEN_UP): _S.FAILED,  # its record was lost too often
    (_S.QUEUED, _E.CANCELLED): _S.CANCELLED,  # the lease's fence drops the record that is still in Kafka
    (_S.QUEUED, _E.LATE_ACCEPTED): _S.SENT,
    (_S.SENDING, _E.ACCEPTED): _S.SENT,
    (_S.SENDING, _E.RETRIED): _S.RETRYING,
    (_S.SENDING, _E.PARKED): _S.RETRYING,
    (_S.SENDING, _E.HELD): _S.HELD,
    (_S.SENDING, _E.GIVEN_UP): _S.FAILED,
    (_S.SENDING, _E.DOUBTED): _S.UNKNOWN,
    (_S.SENDING, _E.LATE_ACCEPTED): _S.SENT,
    (_S.RETRYING, _E.DISPATCHED): _S.QUEUED,
    (_S.RETRYING, _E.LEASED): _S.SENDING,
    (_S.RETRYING, _E.HELD): _S.HELD,
    (_S.RETRYING, _E.CANCELLED): _S.CANCELLED,
    (_S.RETRYING, _E.EXPIRED): _S.EXPIRED,
    (_S.RETRYING, _E.LATE_ACCEPTED): _S.SENT,
    (_S.HELD, _E.RELEASED): _S.SCHEDULED,
    (_S.HELD, _E.CANCELLED): _S.CANCELLED,
    (_S.HELD, _E.EXPIRED): _S.EXPIRED,
    (_S.HELD, _E.LATE_ACCEPTED): _S.SENT,
    (_S.FAILED, _E.REDRIVEN): _S.RETRYING,
    (_S.FAILED, _E.LATE_ACCEPTED): _S.SENT,
    (_S.UNKNOWN, _E.REDRIVEN): _S.RETRYING,
    (_S.UNKNOWN, _E.LATE_ACCEPTED): _S.SENT,
    (_S.SENT, _E.DELIVERED): _S.DELIVERED,
    (_S.SENT, _E.UNDELIVERED): _S.UNDELIVERED,
    (_S.UNDELIVERED, _E.DELIVERED): _S.DELIVERED,
    (_S.UNDELIVERED, _E.REDRIVEN): _S.RETRYING,
}

# Waiting for its time: the index in Redis holds these.
WAITING = frozenset({Status.SCHEDULED, Status.RETRYING})
# A lease may be taken from these, and from no others.
LEASABLE = frozenset({Status.SCHEDULED, Status.QUEUED, Status.RETRYING})
# Something will still happen to these by itself.
LIVE = frozenset({Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.RETRYING, Status.HELD})
ENDED = frozenset(Status) - LIVE


def allowed(status: Status, event: Event) -> bool:
    """Whether the event may happen in this status."""
    return (status, event) in TRANSITIONS


def advance(status: Status, event: Event) -> Status:
    """The status after the event; raises :class:`TransitionRefusedError` where the table has no such pair."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise TransitionRefusedError(status, event) from None


def summarise(statuses: list[Status]) -> Status:
    """A notification's status from its deliveries': what is still live comes first, then the worst end.

    The order says what a reader most needs to know: that something still happens, else that something failed.
    """
    return min(statuses, key=_SUMMARY_ORDER.index)


_SUMMARY_ORDER = (
    Status.SENDING,
    Status.QUEUED,
    Status.RETRYING,
    Status.HELD,
    Status.SCHEDULED,
    Status.FAILED,
    Status.UNKNOWN,
    Status.UNDELIVERED,
    Status.EXPIRED,
    Status.SENT,
    Status.DELIVERED,
    Status.CANCELLED,
)
