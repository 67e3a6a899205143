"""The job that every peer does, as its user would write it: what a request may be, the rows, and the provider's call.

Runs in the peers' own environment. A request is validated, its row committed, its task enqueued; the task calls the
provider and records what came of it in one statement, which is one commit. Two things are in the peers' favour: a task
carries what it sends (dramatiq's best practices would have it carry the id, and read the row once more), and there are
no foreign keys and no index beyond the primary keys.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, TypeAdapter

if TYPE_CHECKING:
    from datetime import datetime

SCHEMA = """
CREATE TABLE notifications (
    id uuid PRIMARY KEY,
    channel text NOT NULL,
    recipient text NOT NULL,
    subject text,
    text text NOT NULL,
    send_at timestamptz,
    status text NOT NULL DEFAULT 'queued',
    provider_message_id text,
    reason text,
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE attempts (
    notification_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    status text NOT NULL,
    provider_message_id text,
    reason text,
    PRIMARY KEY (notification_id, started_at)
);
"""

# Columns as arrays: one statement for a batch of any size, planned once.
INSERT = """
INSERT INTO notifications (id, channel, recipient, subject, text, send_at)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
"""
# A task that is delivered twice finds its row recorded, and adds nothing.
RECORD = """
WITH recorded AS (
    UPDATE notifications SET status = %(status)s, provider_message_id = %(message)s, reason = %(reason)s,
        sent_at = %(finished)s
    WHERE id = %(id)s AND status = 'queued' RETURNING id
)
INSERT INTO attempts (notification_id, started_at, finished_at, status, provider_message_id, reason)
SELECT id, %(started)s, %(finished)s, %(status)s, %(message)s, %(reason)s FROM recorded
"""

PROVIDER_PATH = "/brevo/smtp/email"
PROVIDER_SECONDS = 10.0
PROVIDER_HEADERS = {"api-key": "bench", "Content-Type": "application/json", "Accept": "application/json"}
SENDER = {"name": "Bench", "email": "bench@example.com"}

# Deliberately simple, as Nofy's own: a library that parses addresses would cost the peers more.
Email = Annotated[str, StringConstraints(pattern=r"^[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>.]+$", max_length=254)]
Subject = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", min_length=1, max_length=998)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipient(_Model):
    email: Email


class Content(_Model):
    subject: Subject | None = None
    text: Text


class Request(_Model):
    """The body of a request, as Nofy's API has it where the channel is e-mail."""

    to: Recipient
    channels: tuple[Literal["email"]]
    content: Content
    send_at: AwareDatetime | None = None


REQUESTS = TypeAdapter(list[Request])


@dataclass(frozen=True)
class Notification:
    """A request that was found good, under the id that its row and its task have."""

    id: str
    recipient: str
    subject: str | None
    text: str
    send_at: datetime | None

    def task(self) -> dict[str, Any]:
        """What the task is given; JSON."""
        return {
            "notification_id": self.id,
            "recipient": self.recipient,
            "subject": self.subject,
            "text": self.text,
        }


class ProviderUnavailableError(Exception):
    """The provider could not take it now: the task is to be tried again."""


def validated(bodies: list[dict[str, Any]]) -> list[Notification]:
    """:class:`pydantic.ValidationError` where one of them is wrong: then none is accepted."""
    return [
        Notification(str(uuid4()), each.to.email, each.content.subject, each.content.text, each.send_at)
        for each in REQUESTS.validate_python(bodies)
    ]


def columns(notifications: list[Notification]) -> tuple[list[Any], ...]:
    """The parameters of :data:`INSERT`."""
    return (
        [each.id for each in notifications],
        ["email"] * len(notifications),
        [each.recipient for each in notifications],
        [each.subject for each in notifications],
        [each.text for each in notifications],
        [each.send_at for each in notifications],
    )


def provider_body(notification_id: str, recipient: str, subject: str | None, text: str) -> bytes:
    return json.dumps(
        {
            "sender": SENDER,
            "to": [{"email": recipient}],
            "subject": subject or "(no subject)",
            "textContent": text,
            "headers": {"X-Mailin-custom": notification_id, "idempotencyKey": notification_id},
        }
    ).encode()


def outcome(status: int, answer: bytes) -> dict[str, str | None]:
    """What of it goes into the row; :class:`ProviderUnavailableError` where it is none yet."""
    if status == 429 or status >= 500:
        raise ProviderUnavailableError(f"HTTP {status}")
    if status != 201:
        return {"status": "failed", "message": None, "reason": f"HTTP {status}: {answer[:200]!r}"}
    return {"status": "sent", "message": str(json.loads(answer)["messageId"]), "reason": None}
