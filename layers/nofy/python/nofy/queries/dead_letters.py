"""A dead letter as the API answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.ids import Prefix, encode

if TYPE_CHECKING:
    from nofy.ports.reading import DeadLetterView


def resource(view: DeadLetterView) -> dict[str, Any]:
    """The dead letter as JSON."""
    identifier = encode(Prefix.DEAD_LETTER, view.dead_letter_id)
    notification = encode(Prefix.NOTIFICATION, view.notification_id)
    return {
        "id": identifier,
        "reason": view.reason,
        "fingerprint": view.fingerprint,
        "channel": view.channel,
        "destination": view.destination,
        "delivery_id": encode(Prefix.DELIVERY, view.delivery_id),
        "delivery_status": view.status.value,
        "notification_id": notification,
        "attempt_no": view.attempt_no,
        "created_at": view.created_at.isoformat(timespec="milliseconds"),
        "redriven_at": view.redriven_at.isoformat(timespec="milliseconds") if view.redriven_at else None,
        "links": {
            "redrive": f"/v1/dead-letters/{identifier}/redrive",
            "notification": f"/v1/notifications/{notification}",
        },
    }
