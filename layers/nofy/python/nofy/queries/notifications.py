"""A notification as the API answers it, and the timeline that gives a reason for every step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.domain.ids import Prefix, encode
from nofy.domain.lifecycle import Status, summarise
from nofy.domain.outcomes import exchange_of
from nofy.domain.tokens import Mode
from nofy.ports.reading import AttemptView, DeliveryView, NotificationView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nofy.domain.notification import PlannedNotification, Principal


def planned_view(planned: PlannedNotification, principal: Principal) -> NotificationView:
    """What was just accepted, in the shape in which it will be read back."""
    draft = planned.draft
    return NotificationView(
        notification_id=planned.notification_id,
        message_class=draft.message_class,
        priority=planned.priority,
        live=principal.mode is Mode.LIVE,
        to=draft.to,
        content=draft.content,
        send_at=planned.send_at,
        expires_at=planned.expires_at,
        delivery_mode=draft.delivery_mode,
        reference=draft.reference,
        tags=draft.tags,
        metadata=draft.metadata,
        created_at=planned.created_at,
        deliveries=tuple(
            DeliveryView(
                delivery_id=each.delivery_id,
                channel=each.lane.channel,
                provider=each.provider,
                status=Status.SCHEDULED,
                destination=each.destination,
                due_at=planned.send_at,
                attempt_no=1,
                spent=0,
                reason=None,
                provider_message_id=None,
                changed_at=planned.created_at,
            )
            for each in planned.deliveries
        ),
    )


def resource(view: NotificationView, *, timeline: bool = False) -> dict[str, Any]:
    """The notification as JSON; with its timeline where one notification was asked for."""
    identifier = encode(Prefix.NOTIFICATION, view.notification_id)
    document = {
        "id": identifier,
        "status": summarise([each.status for each in view.deliveries]).value,
        "class": view.message_class,
        "priority": view.priority,
        "mode": "live" if view.live else "test",
        "to": view.to,
        "content": view.content,
        "send_at": _time(view.send_at),
        "expires_at": _time(view.expires_at),
        "delivery_mode": view.delivery_mode,
        "reference": view.reference,
        "tags": list(view.tags),
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
        "deliveries": [_delivery(each) | ({"content": each.content} if timeline else {}) for each in view.deliveries],
        "links": {"self": f"/v1/notifications/{identifier}"},
    }
    return document | {"timeline": _timeline(view)} if timeline else document


def _delivery(view: DeliveryView) -> dict[str, Any]:
    return {
        "id": encode(Prefix.DELIVERY, view.delivery_id),
        "channel": view.channel,
        "provider": view.provider,
        "status": view.status.value,
        "destination": view.destination,
        "due_at": _time(view.due_at),
        "reason": view.reason,
        "provider_message_id": view.provider_message_id,
        "attempts": [_attempt(each) for each in view.attempts],
    }


def _attempt(view: AttemptView) -> dict[str, Any]:
    report = view.report or {}
    decided = report.get("decided") or {}
    exchange = exchange_of(report.get("exchange"))
    return {
        "attempt_no": view.attempt_no,
        "dispatched_at": _time(view.dispatched_at),
        "started_at": _time(view.leased_at),
        "finished_at": _time(datetime.fromisoformat(report["finished_at"])) if report else None,
        "outcome": report.get("outcome"),
        "reason": report.get("reason"),
        "decision": decided.get("decision"),
        "next_at": _time(datetime.fromisoformat(decided["at"])) if "at" in decided else None,
        "provider_message_id": report.get("provider_message_id"),
        "exchange": asdict(exchange) if exchange else None,
    }


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    event: str
    channel: str | None
    detail: str | None


def _timeline(view: NotificationView) -> list[dict[str, Any]]:
    """Everything that is known to have happened, in order of time."""
    steps = [step for each in view.deliveries for step in _steps(each)]
    # Sorting is stable: what happened in the same instant stays in the order in which it is told.
    ordered = sorted([_accepted(view), *steps], key=lambda step: step.at)
    before = {step.channel: view.created_at for step in ordered}
    told = []
    for step in ordered:
        told.append(_told(step, before[step.channel]))
        before[step.channel] = step.at
    return told


def _told(step: _Step, before: datetime) -> dict[str, Any]:
    waited = None if step.channel is None else (step.at - before) // timedelta(milliseconds=1)
    return asdict(step) | {"at": _time(step.at), "waited_ms": waited}


def _accepted(view: NotificationView) -> _Step:
    due = "due at once" if view.send_at <= view.created_at else f"due at {_time(view.send_at)}"
    return _Step(view.created_at, "accepted", None, f"{view.message_class}, {view.priority} priority, {due}")


def _steps(delivery: DeliveryView) -> Iterator[_Step]:
    for noted in delivery.history:
        yield _step(datetime.fromisoformat(noted["at"]), noted["event"], delivery, _noted(noted))
    for attempt in delivery.attempts:
        yield from _attempt_steps(delivery, attempt)
    if delivery.status in (Status.EXPIRED, Status.CANCELLED, Status.HELD) or _gave_up_unasked(delivery):
        yield _step(delivery.changed_at, delivery.status.value, delivery, delivery.reason)


def _gave_up_unasked(delivery: DeliveryView) -> bool:
    """Failed without an attempt that says so: its record was lost too often."""
    decided = [(each.report or {}).get("decided", {}).get("decision") for each in delivery.attempts]
    return delivery.status is Status.FAILED and "give_up" not in decided[-1:]


def _noted(noted: dict[str, Any]) -> str | None:
    """Why, and the dead letter that was redriven where there was one."""
    letter = noted.get("dead_letter")
    reason = noted.get("reason") or _NOTED.get(noted["event"])
    return f"{reason} ({encode(Prefix.DEAD_LETTER, UUID(letter))})" if letter else reason


_NOTED = {
    "requeued": "its record was lost on the way: dispatched again",
    "released": "its integration was mended",
}


def _attempt_steps(delivery: DeliveryView, attempt: AttemptView) -> Iterator[_Step]:
    late = (attempt.leased_at - attempt.due_at).total_seconds()
    yield _step(attempt.dispatched_at, "queued", delivery, f"attempt {attempt.attempt_no}")
    yield _step(attempt.leased_at, "sending", delivery, f"{late * 1000:.0f} ms after it was due")
    report = attempt.report
    if report is None:
        return
    decided = report["decided"]
    detail = " ".join(filter(None, [report.get("reason"), _then(decided)]))
    taken = " as ".join(filter(None, [f"taken by {delivery.provider}", report.get("provider_message_id")]))
    yield _step(datetime.fromisoformat(report["finished_at"]), report["outcome"], delivery, detail or taken)
    if attempt.acknowledged_at:
        yield _step(attempt.acknowledged_at, "acknowledged", delivery, "the outcome was written down")


def _then(decided: dict[str, Any]) -> str | None:
    match decided["decision"]:
        case "retry":
            return f"-> try again at {decided['at']}"
        case "park":
            return f"-> wait until {decided['at']}, no attempt spent"
        case "hold":
            return "-> held until the integration is mended"
        case "give_up":
            return "-> dead letter"
        case "leave_unknown":
            return "-> dead letter, left as unknown as at_most_once asks"
        case _:
            return None


def _step(at: datetime, event: str, delivery: DeliveryView, detail: str | None) -> _Step:
    return _Step(at, event, delivery.channel, detail)


# (four moments stand in each notification of a batch, and most of them in all of it)
@lru_cache(maxsize=8)
def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
