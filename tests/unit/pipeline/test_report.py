"""Report: one ack each, and a dead letter beside it where a delivery was given up."""

from __future__ import annotations

from uuid import UUID

from nofy.domain.dead_letters import DeadLetter, Kind, read
from nofy.domain.delivery import Report
from nofy.domain.outcomes import Accepted, Rejected, RejectionKind
from nofy.domain.records import OutboundRecord, read_ack
from nofy.domain.retry import Decision, Done, GiveUp, LeaveUnknown
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC
from nofy.pipeline.report import publish_reports
from tests.fakes import NOON, ManualClock, MemoryBus

ONE, TWO = UUID(int=1), UUID(int=2)
REJECTED = Rejected(RejectionKind.RECIPIENT, "gone")


def report(delivery_id: UUID, decision: Decision | None = None) -> Report:
    outcome = Accepted("message-1") if decision is None else REJECTED
    return Report(delivery_id, 1, outcome, decision or Done(), NOON, 3)


def bus_refusing(topic: str, key: UUID) -> MemoryBus:
    def refuses(record: OutboundRecord) -> bool:
        return (record.topic, record.key) == (topic, key.bytes)

    bus = MemoryBus(ManualClock())
    bus.refuses = refuses
    return bus


def test_an_ack_carries_the_whole_report() -> None:
    bus = MemoryBus(ManualClock())
    reports = [report(ONE), report(TWO, GiveUp("gone"))]
    assert publish_reports(reports, bus) == []
    assert {read_ack(each.value) for each in bus.records(ACKS_TOPIC)} == set(reports)


def test_what_was_given_up_is_a_dead_letter_too() -> None:
    bus = MemoryBus(ManualClock())
    publish_reports([report(ONE), report(TWO, GiveUp("rejected_recipient: gone"))], bus)
    letters = [read(each) for each in bus.records(DLQ_TOPIC)]
    assert letters == [DeadLetter(Kind.DELIVERY, "rejected_recipient: gone", TWO, 1)]


def test_what_was_left_as_unknown_is_a_dead_letter_too() -> None:
    bus = MemoryBus(ManualClock())
    publish_reports([report(ONE, LeaveUnknown("unknown: silence"))], bus)
    letters = [read(each) for each in bus.records(DLQ_TOPIC)]
    assert letters == [DeadLetter(Kind.DELIVERY, "unknown: silence", ONE, 1)]


def test_a_refused_ack_is_returned() -> None:
    reports = [report(ONE, GiveUp("gone")), report(TWO, GiveUp("gone"))]
    assert publish_reports(reports, bus_refusing(ACKS_TOPIC, TWO)) == [reports[1]]


def test_a_refused_dead_letter_is_the_reconcilers_to_find() -> None:
    assert publish_reports([report(ONE, GiveUp("gone"))], bus_refusing(DLQ_TOPIC, ONE)) == []
