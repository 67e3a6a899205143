"""Dead letters as the API answers them: one, a group with the same cause, and what a redrive would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.ids import Prefix, encode

if TYPE_CHECKING:
    from datetime import datetime

    from nofy.ports.reading import DeadLetterGroupView, DeadLetterView, RedrivePreview
    from nofy.ports.store import Discarded, Redriven


def resource(view: DeadLetterView) -> dict[str, Any]:
    """The dead letter as JSON."""
    identifier = encode(Prefix.DEAD_LETTER, view.dead_letter_id)
    notification = encode(Prefix.NOTIFICATION, view.notification_id)
    return {
        "id": identifier,
        "status": view.standing.value,
        "reason": view.reason,
        "fingerprint": view.fingerprint,
        "channel": view.channel,
        "destination": view.destination,
        "delivery_id": encode(Prefix.DELIVERY, view.delivery_id),
        "delivery_status": view.status.value,
        "notification_id": notification,
        "attempt_no": view.attempt_no,
        "redrive_no": view.redrive_no,
        "previous": encode(Prefix.DEAD_LETTER, view.previous) if view.previous else None,
        "created_at": _time(view.created_at),
        "redriven_at": _time(view.redriven_at),
        "discarded_at": _time(view.discarded_at),
        "discard_reason": view.discard_reason,
        "links": {
            "self": f"/v1/dead-letters/{identifier}",
            "redrive": f"/v1/dead-letters/{identifier}/redrive",
            "discard": f"/v1/dead-letters/{identifier}/discard",
            "notification": f"/v1/notifications/{notification}",
        },
    }


def group(view: DeadLetterGroupView) -> dict[str, Any]:
    """Failures with one cause; the sample is the latest of them."""
    return {
        "fingerprint": view.fingerprint,
        "count": view.letters,
        "open": view.open,
        "first_seen": _time(view.first_seen),
        "last_seen": _time(view.last_seen),
        "sample": {
            "id": encode(Prefix.DEAD_LETTER, view.latest_id),
            "reason": view.latest_reason,
            "channel": view.latest_channel,
        },
        "links": {"dead_letters": f"/v1/dead-letters?fingerprint={view.fingerprint}"},
    }


def preview(view: RedrivePreview) -> dict[str, Any]:
    """What a redrive would do now."""
    return {
        "matching": view.matching,
        "redrivable": view.redrivable,
        "not_redrivable": view.matching - view.redrivable,
        "past_expiry": view.past_expiry,
        "recipients": {
            "count": view.recipients,
            "sample": [{"channel": channel, "destination": address} for channel, address in view.sample],
        },
    }


def redriven(done: Redriven) -> dict[str, Any]:
    """What a redrive did; the last of its deliveries is due at ``last_due_at``."""
    last = max((each.due_at for each in done.entries), default=None)
    return {"redriven": len(done.entries), "remaining": done.remaining, "last_due_at": _time(last)}


def discarded(done: Discarded) -> dict[str, Any]:
    """What a discard did."""
    return {"discarded": done.letters, "remaining": done.remaining}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
