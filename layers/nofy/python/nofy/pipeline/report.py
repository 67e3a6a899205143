"""Report: one outcome, decided once, told to the acks topic (and the dead letters, if nothing follows by itself)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain import dead_letters
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.records import OutboundRecord, ack_value
from nofy.domain.retry import GiveUp, LeaveUnknown
from nofy.domain.routing import ACKS_TOPIC, DLQ_TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.delivery import Report
    from nofy.ports.bus import Bus


def publish_reports(reports: Sequence[Report], bus: Bus) -> list[Report]:
    """Tell Kafka; returns the reports whose ack it did not take.

    A dead letter it did not take is not returned: the reconciler finds deliveries that ended without one.
    """
    letters = [_letter(each) for each in reports if isinstance(each.decision, GiveUp | LeaveUnknown)]
    acks = [OutboundRecord(ACKS_TOPIC, each.delivery_id.bytes, ack_value(each)) for each in reports]
    placements = bus.publish([*acks, *letters])
    return [each for each, at in zip(reports, placements, strict=False) if at is None]


def _letter(report: Report) -> OutboundRecord:
    assert isinstance(report.decision, GiveUp | LeaveUnknown)
    letter = DeadLetter(
        Kind.DELIVERY,
        report.decision.reason,
        delivery_id=report.delivery_id,
        attempt_no=report.attempt_no,
    )
    return OutboundRecord(DLQ_TOPIC, report.delivery_id.bytes, dead_letters.value(letter))
