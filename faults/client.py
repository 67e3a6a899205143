"""A project's client: asks over the producer's API, and remembers what it was promised."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from faults.fleet import ProducerGoneError
from faults.machine import lift_limits
from nofy.adapters.postgres.administration import PostgresAdministration
from nofy.domain import tokens
from nofy.domain.ids import Prefix, decode, encode
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.domain.tokens import Mode
from nofy.runtime import clock

if TYPE_CHECKING:
    from uuid import UUID

    from faults.fleet import Fleet
    from faults.machine import Machine

# No rate is asked for here: how slots are reserved is tested elsewhere, and a run should be quick.
UNLIMITED = {"limits": {"integration": None, "destination": None}}
SETTINGS: dict[Channel, dict[str, Any]] = {
    Channel.SLACK: {"kind": "bot", **UNLIMITED},
    Channel.EMAIL: {"sender": {"email": "no-reply@example.com", "name": "Faults"}, **UNLIMITED},
    Channel.WHATSAPP: {"phone_number_id": "15550100", **UNLIMITED},
}
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Promise:
    """A delivery that was answered with 202."""

    delivery_id: UUID
    notification_id: str  # as the API writes it
    project_id: UUID
    channel: Channel


@dataclass
class Client:
    """One project with an integration of each channel."""

    fleet: Fleet
    project_id: UUID
    token: str
    integrations: dict[Channel, UUID]
    administration: PostgresAdministration
    promised: list[Promise] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: Any = None, key: str | None = None, producer: str = "producer"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        status, text = self.fleet.ask(method, path, json.dumps(body) if body is not None else "", headers, producer)
        return status, json.loads(text)

    def accept(self, items: list[dict[str, Any]], key: str | None = None) -> list[Promise]:
        """Ask until there is a 202, always under the same idempotency key: as a careful client does."""
        key = key or secrets.token_hex(8)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, document = self.ask("POST", "/v1/notifications/batch", {"notifications": items}, key)
                if status == 202:
                    return self.note(document)
                assert status in (409, 503), f"the producer answered {status}: {document}"
            except ProducerGoneError:
                pass
            assert time.monotonic() < deadline, "the producer does not come back"
            time.sleep(0.05)

    def note(self, document: dict[str, Any]) -> list[Promise]:
        made = [
            Promise(
                _uuid(Prefix.DELIVERY, one["id"]), each["notification"]["id"], self.project_id, Channel(one["channel"])
            )
            for each in document["results"]
            if each["status"] == 202  # what expired before it could be accepted is refused
            for one in each["notification"]["deliveries"]
        ]
        self.promised += made
        return made

    def cancel(self, promise: Promise, producer: str = "producer") -> int:
        return self.ask("POST", f"/v1/notifications/{promise.notification_id}/cancel", producer=producer)[0]

    def redrive(self, dead_letter_id: UUID, producer: str = "producer") -> int:
        path = f"/v1/dead-letters/{encode(Prefix.DEAD_LETTER, dead_letter_id)}/redrive"
        return self.ask("POST", path, producer=producer)[0]

    def set_credential(self, channel: Channel, suffix: str) -> None:
        """A credential says whose it is, so that the stub's ledger shows whether a project's wall has a hole."""
        self.administration.set_integration(
            self.integrations[channel],
            self.project_id,
            channel,
            PROVIDER_OF[channel],
            SETTINGS[channel],
            f"{self.project_id}:{channel}:{suffix}".encode(),
        )


def new_client(machine: Machine, fleet: Fleet) -> Client:
    administration = PostgresAdministration(machine.truth)
    project_id, key_id = clock.new_id(), clock.new_id()
    token = tokens.generate(Mode.LIVE, secrets.choice)
    administration.create_project(project_id, "Faults")
    lift_limits(machine.truth, project_id)
    administration.create_key(key_id, project_id, Mode.LIVE, tokens.digest(token), "nofy_…")
    client = Client(fleet, project_id, token, {each: clock.new_id() for each in Channel}, administration)
    for each in Channel:
        client.set_credential(each, "good")
    return client


def notification(channel: Channel, number: int, *, script: str = "", **more: Any) -> dict[str, Any]:
    """A request for one message; ``script`` is the stub's."""
    to = {
        Channel.SLACK: {"slack_channel": f"C0FAULT{number}"},
        Channel.EMAIL: {"email": f"fault-{number}@example.com"},
        Channel.WHATSAPP: {"phone": f"+1555{number:07d}"},
    }[channel]
    text = f"number {number} {f'script={script}' if script else ''}"
    return {"to": to, "channels": [channel.value], "content": {"subject": "Faults", "text": text}, **more}


def _uuid(prefix: Prefix, text: str) -> UUID:
    found = decode(prefix, text)
    assert found is not None
    return found
