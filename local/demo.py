"""``make demo``: notifications travel the whole chain, and the terminal shows how.

Each scene is a notification with the end it should come to; the demo fails (exit code 1) if one comes to another.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.bringup import up
from local.client import Client
from local.progress import Progress

# Longer than the slowest scene by far: what has not ended by then will not.
PATIENCE_SECONDS = 45
LIVE = {"scheduled", "queued", "sending", "retrying", "held"}
LOOK_EVERY_SECONDS = 0.15


@dataclass
class Scene:
    """A notification, when it is due, and how it should end."""

    title: str
    request: dict[str, Any]
    ends: str = "sent"
    due_in: float = 0.0
    attempts: int = 1
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return bool(self.seen) and self.seen["status"] not in LIVE

    @property
    def as_it_should(self) -> bool:
        tries = max(len(each["attempts"]) for each in self.seen["deliveries"])
        return self.seen["status"] == self.ends and tries == self.attempts and not self.early

    @property
    def early(self) -> bool:
        return any(started < self.seen["send_at"] for started in self._starts())

    def lateness(self) -> str:
        """From due to the first call, in milliseconds."""
        starts = self._starts()
        return f"{_milliseconds(self.seen['send_at'], min(starts))}" if starts else "-"

    def _starts(self) -> list[str]:
        return [try_["started_at"] for each in self.seen["deliveries"] for try_ in each["attempts"]]


def scenes() -> list[Scene]:
    """Three channels, three priorities, now and later, one that fails once, one that is refused for good."""
    return [
        Scene("deploy finished", _slack("C0DEPLOYS", "*Build 42* is live", blocks=True) | {"priority": "high"}),
        Scene("receipt", _email("ada@example.com", "Your receipt", "Thank you. You paid 12.00 EUR.")),
        Scene("parcel on its way", _whatsapp("+15550100001", "Your parcel arrives today.") | {"priority": "low"}),
        Scene("reminder", _email("grace@example.com", "Stand-up in 5 minutes", "See you there."), due_in=3),
        Scene("fails once", _slack("C0BUILDS503X1", "Build 43 failed") | {"priority": "high"}, due_in=2, attempts=2),
        Scene("refused for good", _email("nobody+reject@example.com", "Hello?", "Is anybody there?"), ends="failed"),
    ]


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


def main() -> int:
    """Bring the stack up (or use the one that runs), send, watch, explain."""
    progress = Progress()
    stack = up(os.environ, progress)
    made = json.loads((Path(stack.directory) / "stack.json").read_text())
    client = Client(made["api_url"], made["api_token"])
    played = scenes()
    progress.say("\nsending six notifications over Slack, e-mail and WhatsApp\n")
    _send(client, played)
    _watch(client, played)
    _explain(next(each for each in played if each.title == "fails once"))
    return _close(played, made["inbox_url"])


def _send(client: Client, played: list[Scene]) -> None:
    for scene in played:
        later = datetime.now(UTC) + timedelta(seconds=scene.due_in)
        when = {"send_at": later.isoformat()} if scene.due_in else {}
        scene.seen = client.post("/v1/notifications", scene.request | when)


def _watch(client: Client, played: list[Scene]) -> None:
    """Redraw the table while something moves; where the output is no terminal, print it once at the end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    drawn = 0
    while True:
        for scene in played:
            if not scene.ended:
                scene.seen = client.get(scene.seen["links"]["self"])
        finished = all(each.ended for each in played) or time.monotonic() > deadline
        if sys.stdout.isatty() or finished:
            drawn = _draw(played, drawn)
        if finished:
            return
        time.sleep(LOOK_EVERY_SECONDS)


_ROW = "  {:<20} {:<9} {:<7} {:<10} {:>8} {:>12}  {}"


def _draw(played: list[Scene], drawn: int) -> int:
    """Draw over the last table; returns the lines to go back next time."""
    if drawn:
        sys.stdout.write(f"\x1b[{drawn}A\x1b[J")
    lines = [_ROW.format("notification", "channel", "lane", "status", "attempts", "ms after due", "")]
    lines += [_row(each) for each in played]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return len(lines)


def _row(scene: Scene) -> str:
    delivery = scene.seen["deliveries"][0]
    why = f"({delivery['reason']})" if delivery.get("reason") else ""
    return _ROW.format(
        scene.title,
        delivery["channel"],
        scene.seen["priority"],
        scene.seen["status"],
        len(delivery["attempts"]),
        scene.lateness(),
        why,
    ).rstrip()


def _explain(scene: Scene) -> None:
    print(f'\nwhat happened to "{scene.title}" ({scene.seen["id"]})\n')
    began = scene.seen["created_at"]
    for step in scene.seen["timeline"]:
        detail = step["detail"] or ""
        print(f"  {_milliseconds(began, step['at']):>6} ms  {step['event']:<13} {detail}".rstrip())


def _milliseconds(start: str, end: str) -> int:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000)


def _close(played: list[Scene], inbox_url: str) -> int:
    wrong = [each for each in played if not each.ended or not each.as_it_should]
    for scene in wrong:
        print(f"\n{scene.title} should have ended as {scene.ends} in {scene.attempts} attempt(s):")
        print(json.dumps(scene.seen, indent=2))
    if wrong:
        return 1
    print(f"\nevery notification ended as it should. Read them as their recipients do: {inbox_url}")
    print("the stack goes on running: make status, make logs, make down")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
