"""What may happen next to a delivery."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.lifecycle import (
    ENDED,
    LEASABLE,
    LIVE,
    TRANSITIONS,
    WAITING,
    Event,
    Status,
    TransitionRefusedError,
    advance,
    allowed,
    summarise,
)

# The design's picture, said once more and the other way round: by event, from which statuses to which.
PICTURE = {
    Event.DISPATCHED: ("scheduled retrying", "queued"),
    Event.LEASED: ("scheduled queued retrying", "sending"),
    Event.ACCEPTED: ("sending", "sent"),
    Event.RETRIED: ("sending", "retrying"),
    Event.PARKED: ("sending", "retrying"),
    Event.HELD: ("scheduled retrying sending", "held"),
    Event.RELEASED: ("held", "scheduled"),
    Event.GIVEN_UP: ("sending queued", "failed"),
    Event.DOUBTED: ("sending", "unknown"),
    Event.LATE_ACCEPTED: ("scheduled queued sending retrying held failed unknown", "sent"),
    Event.REQUEUED: ("queued", "scheduled"),
    Event.EXPIRED: ("scheduled retrying held", "expired"),
    Event.CANCELLED: ("scheduled retrying queued held", "cancelled"),
    Event.REDRIVEN: ("failed unknown undelivered", "retrying"),
    Event.DELIVERED: ("sent undelivered", "delivered"),
    Event.UNDELIVERED: ("sent", "undelivered"),
}
# Moving changes the time and not the status.
EXPECTED = {
    (Status(before), event): Status(after) for event, (befores, after) in PICTURE.items() for before in befores.split()
} | {pair: pair[0] for pair in TRANSITIONS if pair[1] is Event.MOVED}

PAIRS = list(itertools.product(Status, Event))
RECEIPTS = {Event.DELIVERED, Event.UNDELIVERED}


@pytest.mark.parametrize(("status", "event"), PAIRS)
def test_every_pair_is_in_the_table_or_refused(status: Status, event: Event):
    if (status, event) in EXPECTED:
        assert allowed(status, event)
        assert advance(status, event) is EXPECTED[status, event]
    else:
        assert not allowed(status, event)
        with pytest.raises(TransitionRefusedError, match=f"a {status} delivery cannot be {event}") as refused:
            advance(status, event)
        assert (refused.value.status, refused.value.event) == (status, event)


def test_only_what_waits_can_be_moved():
    assert {status for status, event in TRANSITIONS if event is Event.MOVED} <= WAITING


def test_every_event_can_happen_somewhere():
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_a_lease_is_taken_from_the_leasable_statuses_and_no_others():
    assert {status for status, event in TRANSITIONS if event is Event.LEASED} == LEASABLE


def test_what_waits_can_be_dispatched_and_nothing_else_can():
    assert {status for status, event in TRANSITIONS if event is Event.DISPATCHED} == WAITING


@pytest.mark.parametrize("status", sorted(LIVE))
def test_every_live_status_can_reach_an_end(status: Status):
    assert _reachable(status) & ENDED


@pytest.mark.parametrize("status", sorted(LIVE))
def test_every_live_status_can_still_become_sent(status: Status):
    assert Status.SENT in _reachable(status)


def test_every_status_can_come_about():
    assert _reachable(Status.SCHEDULED) | {Status.SCHEDULED} == set(Status)


@pytest.mark.parametrize(("status", "event"), [pair for pair in TRANSITIONS if pair[0] in ENDED])
def test_an_end_is_left_only_by_a_redrive_a_late_truth_or_a_receipt(status: Status, event: Event):
    assert event in {Event.REDRIVEN, Event.LATE_ACCEPTED} | RECEIPTS


@pytest.mark.parametrize(("status", "event"), [pair for pair in TRANSITIONS if pair[0] in ENDED])
def test_only_a_redrive_brings_an_ended_delivery_back_to_life(status: Status, event: Event):
    assert (advance(status, event) in LIVE) == (event is Event.REDRIVEN)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.DELIVERED])
def test_some_ends_are_final(status: Status):
    assert not [event for event in Event if allowed(status, event)]


def test_receipts_say_something_only_about_what_was_sent():
    told = {status for status, event in TRANSITIONS if event in RECEIPTS}
    assert told == {Status.SENT, Status.UNDELIVERED}


def test_a_delivery_is_either_live_or_ended():
    assert set(Status) == LIVE | ENDED
    assert not LIVE & ENDED
    assert WAITING <= LEASABLE <= LIVE


@pytest.mark.parametrize(
    ("statuses", "summary"),
    [
        (["sent"], "sent"),
        (["sent", "sending"], "sending"),
        (["failed", "scheduled"], "scheduled"),
        (["sent", "failed", "delivered"], "failed"),
        (["unknown", "failed"], "failed"),
        (["delivered", "undelivered"], "undelivered"),
        (["delivered", "sent"], "sent"),
        (["cancelled", "sent"], "sent"),
        (["cancelled", "expired"], "expired"),
        (["held", "retrying"], "retrying"),
    ],
)
def test_a_notification_shows_what_is_live_first_and_then_the_worst_end(statuses: list[str], summary: str):
    assert summarise([Status(each) for each in statuses]) is Status(summary)


@given(st.lists(st.sampled_from(Status), min_size=1), st.randoms())
def test_a_summary_is_one_of_the_statuses_whatever_their_order(statuses: list[Status], random):
    shuffled = random.sample(statuses, len(statuses))
    assert summarise(statuses) is summarise(shuffled)
    assert summarise(statuses) in statuses


@given(st.lists(st.sampled_from(Status), min_size=1))
def test_a_notification_has_ended_when_all_its_deliveries_have(statuses: list[Status]):
    assert (summarise(statuses) in ENDED) == all(each in ENDED for each in statuses)


def _reachable(status: Status) -> set[Status]:
    reached: set[Status] = set()
    edge = {status}
    while edge:
        edge = {after for (before, _), after in TRANSITIONS.items() if before in edge} - reached
        reached |= edge
    return reached
