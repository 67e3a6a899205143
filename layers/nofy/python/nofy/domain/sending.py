"""What a sender function is asked and what it answers: the payload of the invoke between consumer and sender."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.domain import outcomes
from nofy.domain.ids import idempotency_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class SealedCredential:
    """A provider credential as ciphertext, bound to its project and integration by the encryption context."""

    project_id: UUID
    integration_id: UUID
    version: int
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one provider, with all a call needs and nothing else."""

    delivery_id: UUID
    notification_id: UUID
    destination: str
    content: dict[str, Any]
    settings: dict[str, Any]
    credential: SealedCredential
    idempotency_key: UUID
    live: bool
    ask_until: datetime | None = None  # set: an earlier call under the key may have been taken
    attempt: int = 1  # which one this is, throttled and redriven ones counted


def message_of(leased: Leased) -> Message:
    """What the sender needs to know of a leased delivery."""
    return Message(
        delivery_id=leased.fence.delivery_id,
        notification_id=leased.notification_id,
        destination=leased.destination,
        content=leased.content,
        settings=leased.settings,
        credential=SealedCredential(
            leased.project_id, leased.integration_id, leased.credential_version, leased.credential
        ),
        idempotency_key=idempotency_key(leased.fence.delivery_id, leased.redrive_no),
        live=leased.live,
        ask_until=leased.ask_until,
        attempt=leased.fence.attempt_no,
    )


def message_to_json(message: Message) -> dict[str, Any]:
    """A message inside an invoke's payload."""
    return {
        "delivery_id": str(message.delivery_id),
        "notification_id": str(message.notification_id),
        "destination": message.destination,
        "content": message.content,
        "settings": message.settings,
        "project_id": str(message.credential.project_id),
        "integration_id": str(message.credential.integration_id),
        "credential_version": message.credential.version,
        "credential": base64.b64encode(message.credential.ciphertext).decode(),
        "idempotency_key": str(message.idempotency_key),
        "live": message.live,
        "ask_until": message.ask_until.isoformat() if message.ask_until else None,
        "attempt": message.attempt,
    }


def message_from_json(value: dict[str, Any]) -> Message:
    """The inverse of :func:`message_to_json`."""
    return Message(
        delivery_id=UUID(value["delivery_id"]),
        notification_id=UUID(value["notification_id"]),
        destination=value["destination"],
        content=value["content"],
        settings=value["settings"],
        credential=SealedCredential(
            UUID(value["project_id"]),
            UUID(value["integration_id"]),
            value["credential_version"],
            base64.b64decode(value["credential"]),
        ),
        idempotency_key=UUID(value["idempotency_key"]),
        live=value["live"],
        ask_until=datetime.fromisoformat(value["ask_until"]) if value["ask_until"] else None,
        # A consumer of an earlier deploy does not say.
        attempt=value.get("attempt", 1),
    )


def request(messages: Sequence[dict[str, Any]], deadline: datetime) -> dict[str, Any]:
    """The invoke's payload: the sender starts no call that cannot finish before ``deadline``."""
    return {"v": 1, "deadline": deadline.isoformat(), "messages": list(messages)}


def read_request(payload: dict[str, Any]) -> tuple[list[Message], datetime]:
    """The inverse of :func:`request`."""
    return [message_from_json(each) for each in payload["messages"]], datetime.fromisoformat(payload["deadline"])


def response(results: Sequence[Outcome]) -> dict[str, Any]:
    """The sender's answer: one outcome for each message, in order."""
    return {"outcomes": [outcomes.to_json(each) for each in results]}


def read_response(payload: dict[str, Any]) -> list[Outcome]:
    """The inverse of :func:`response`."""
    return [outcomes.from_json(each) for each in payload["outcomes"]]
