"""The timeline: a reason and a wait for every step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from nofy.domain.lifecycle import Status
from nofy.ports.reading import AttemptView, DeliveryView, NotificationView
from nofy.queries.notifications import resource

START = datetime(2026, 5, 1, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def report(seconds: float, outcome: str, decision: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "decided": decision, "finished_at": at(seconds).isoformat(), **more}


def attempt(number: int, due: float, told: dict[str, Any] | None, acknowledged: float | None = None) -> AttemptView:
    acknowledged_at = None if acknowledged is None else at(acknowledged)
    return AttemptView(number, at(due), at(due + 0.1), at(due + 0.3), told, acknowledged_at)


def delivery(status: Status, *attempts: AttemptView, history: Any = (), reason: str | None = None) -> DeliveryView:
    columns = (UUID(int=2), "email", "brevo", status, "ada@example.com", at(0), len(attempts), 0, reason, "msg-1")
    return DeliveryView(*columns, at(60), tuple(history), attempts)


def told(*deliveries: DeliveryView, send_at: float = 0) -> dict[str, Any]:
    asked = ("transactional", "normal", True, {}, {"text": "x"}, at(send_at), at(900), "at_least_once")
    view = NotificationView(UUID(int=1), *asked, None, (), {}, at(0), deliveries)
    return resource(view, timeline=True)


def steps(document: dict[str, Any]) -> list[tuple[str, str | None, int | None]]:
    return [(each["event"], each["detail"], each["waited_ms"]) for each in document["timeline"]]


RETRIED = attempt(
    1,
    0,
    report(
        1,
        "transient",
        {"decision": "retry", "at": at(5).isoformat()},
        reason="HTTP 503",
        exchange={"method": "POST", "path": "/smtp/email", "http_status": 503, "duration_ms": 700},
    ),
    acknowledged=1.2,
)
TAKEN = attempt(2, 5, report(6, "accepted", {"decision": "done"}, provider_message_id="msg-1"), acknowledged=6.5)


def test_every_step_has_a_reason_and_the_wait_since_the_one_before():
    document = told(delivery(Status.SENT, RETRIED, TAKEN))
    assert steps(document) == [
        ("accepted", "transactional, normal priority, due at once", None),
        ("queued", "attempt 1", 100),
        ("sending", "300 ms after it was due", 200),
        ("transient", f"HTTP 503 -> try again at {at(5).isoformat()}", 700),
        ("acknowledged", "the outcome was written down", 200),
        ("queued", "attempt 2", 3900),
        ("sending", "300 ms after it was due", 200),
        ("accepted", "taken by brevo as msg-1", 700),
        ("acknowledged", "the outcome was written down", 500),
    ]


def test_a_notification_for_later_says_for_when():
    assert steps(told(delivery(Status.SCHEDULED), send_at=60))[0][1] == (
        "transactional, normal priority, due at 2026-05-01T09:01:00.000+00:00"
    )


def test_what_people_and_the_reconciler_did_has_a_reason_too():
    history = [{"event": each, "at": at(3).isoformat()} for each in ("requeued", "released")]
    assert [detail for _, detail, _ in steps(told(delivery(Status.SCHEDULED, history=history)))][1:] == [
        "its record was lost on the way: dispatched again",
        "its integration was mended",
    ]


def test_what_failed_without_an_attempt_that_says_so_says_why():
    lost = delivery(Status.FAILED, reason="its records were lost in Kafka again and again")
    assert steps(told(lost))[-1][:2] == ("failed", "its records were lost in Kafka again and again")
    refused = attempt(
        1, 0, report(1, "rejected", {"decision": "give_up", "reason": "bad"}, kind="content", reason="bad")
    )
    assert [event for event, *_ in steps(told(delivery(Status.FAILED, refused, reason="bad")))][-1] == "rejected"


def test_an_attempt_shows_what_was_asked_and_answered_and_what_follows():
    first, second = told(delivery(Status.SENT, RETRIED, TAKEN))["deliveries"][0]["attempts"]
    assert first["exchange"] == {
        "method": "POST", "path": "/smtp/email", "http_status": 503, "provider_code": None, "duration_ms": 700,
    }  # fmt: skip
    assert (first["decision"], first["next_at"]) == ("retry", "2026-05-01T09:00:05.000+00:00")
    assert (second["exchange"], second["next_at"], second["provider_message_id"]) == (None, None, "msg-1")
