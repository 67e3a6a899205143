"""The dozen: each scene is a notification, what its sender does about it, and the end it should come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.client import Client

LIVE = frozenset({"scheduled", "queued", "sending", "retrying", "held"})
_MENDED = "grace@example.com"


@dataclass
class Scene:
    """A notification: when it is due, what its sender does once it is accepted or has failed, how it should end."""

    title: str
    request: dict[str, Any]
    ends: str = "sent"
    due_in: float = 0.0
    attempts: int = 1
    once_accepted: Callable[[Client, Scene], None] | None = None
    once_failed: Callable[[Client, Scene], bool] | None = None
    in_batch: bool = False
    seen: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The request, its time counted from now."""
        when = {"send_at": in_seconds(self.due_in)} if self.due_in else {}
        return self.request | when

    def look(self, client: Client) -> None:
        """Read the notification again; a sender who mends what was wrong does so when it has failed."""
        self.seen = client.get(self.seen["links"]["self"])
        if self.seen["status"] == "failed" and self.once_failed and self.once_failed(client, self):
            self.once_failed = None
            self.look(client)

    @property
    def ended(self) -> bool:
        return self.seen["status"] not in LIVE and self.once_failed is None

    @property
    def as_it_should(self) -> bool:
        return self.ended and self.seen["status"] == self.ends and self.tries == self.attempts and not self.early

    @property
    def tries(self) -> int:
        return max(len(_called(each)) for each in self.seen["deliveries"])

    @property
    def early(self) -> bool:
        return any(started < self.seen["send_at"] for started in self.starts())

    def starts(self) -> list[str]:
        """When each attempt began, over all deliveries."""
        return [each["started_at"] for delivery in self.seen["deliveries"] for each in delivery["attempts"]]


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def _called(delivery: dict[str, Any]) -> list[dict[str, Any]]:
    """Attempts that came to a call of the provider: a throttled workspace makes its other messages wait their turn."""
    return [each for each in delivery["attempts"] if each["outcome"] != "not_tried"]


def dozen(inbox: Client) -> list[Scene]:
    """Three channels, three priorities, now and later; and everything that goes wrong on a good day."""
    return [
        Scene("deploy finished", _slack("C0DEPLOYS", "*Build 42* is live", blocks=True) | {"priority": "high"}),
        Scene("receipt", _email("ada@example.com", "Your receipt", "Thank you. You paid 12.00 EUR.")),
        Scene("parcel on its way", _whatsapp("+15550100001", "Your parcel arrives today.") | {"priority": "low"}),
        Scene("reminder", _email("alan@example.com", "Stand-up in 5 minutes", "See you there."), due_in=3),
        Scene("fails once", _slack("C0BUILDS503X1", "Build 43 failed") | {"priority": "high"}, due_in=2, attempts=2),
        Scene("refused for good", _email("nobody+reject@example.com", "Hello?", "Is anybody there?"), ends="failed"),
        Scene("in a batch", _email("kay@example.com", "News", "All quiet."), in_batch=True),
        Scene("batch, throttled", _slack("C0OPSTHROTTLE2", "Disk is 80 % full"), in_batch=True, attempts=2),
        Scene(
            "cancelled in time",
            _slack("C0DEPLOYS", "Never mind"),
            ends="cancelled",
            due_in=30,
            attempts=0,
            once_accepted=_cancel,
        ),
        Scene("moved nearer", _whatsapp("+15550100002", "We are early."), due_in=600, once_accepted=_move),
        Scene(
            "third time lucky",
            _email("edsger+503x2@example.com", "Persistence", "It pays.") | {"priority": "high"},
            attempts=3,
        ),
        Scene(
            "redriven once mended",
            _email(_MENDED, "Welcome", "Your address works again."),
            attempts=2,
            once_failed=partial(_mend_and_redrive, inbox),
        ),
    ]


def set_the_stage(inbox: Client) -> None:
    """Until it is mended, this address refuses; the one fault that is no part of the address itself."""
    inbox.post("/_control/faults", {"recipient": _MENDED, "script": ["reject"], "channel": "email"})


def _cancel(client: Client, scene: Scene) -> None:
    scene.seen = client.post(scene.seen["links"]["self"] + "/cancel")


def _move(client: Client, scene: Scene) -> None:
    scene.seen = client.call("PATCH", scene.seen["links"]["self"], {"send_at": in_seconds(2)})


def mend(inbox: Client) -> None:
    """The address works again."""
    inbox.call("DELETE", f"/_control/faults/{quote(_MENDED)}")


def _mend_and_redrive(inbox: Client, client: Client, scene: Scene) -> bool:
    """Once its dead letter is there: the address works again, and the letter is sent again."""
    letters = client.get("/v1/dead-letters")["dead_letters"]
    for letter in letters:
        if letter["notification_id"] == scene.seen["id"]:
            inbox.call("DELETE", f"/_control/faults/{quote(_MENDED)}")
            client.post(letter["links"]["redrive"])
            return True
    return False


def _slack(channel: str, text: str, *, blocks: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"text": text}
    if blocks:
        section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
        context = {"type": "context", "elements": [{"type": "mrkdwn", "text": "deployed by *ci* in 3 min 12 s"}]}
        content["slack"] = {"blocks": [section, {"type": "divider"}, context]}
    return {"to": {"slack_channel": channel}, "channels": ["slack"], "content": content}


def _email(address: str, subject: str, text: str) -> dict[str, Any]:
    return {"to": {"email": address}, "channels": ["email"], "content": {"subject": subject, "text": text}}


def _whatsapp(phone: str, text: str) -> dict[str, Any]:
    return {"to": {"phone": phone}, "channels": ["whatsapp"], "content": {"text": text}}
