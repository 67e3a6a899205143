"""The shape of answers about dead letters, for the OpenAPI document alone."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from nofy.domain.dead_letters import Standing
from nofy.domain.lifecycle import Status
from nofy.domain.routing import Channel
from nofy.runtime.api.schemas import Schema


class DeadLetterLinks(Schema):
    self: str
    redrive: str
    discard: str
    notification: str


class DeadLetter(Schema):
    """A delivery that ended in failure."""

    id: str
    status: Standing
    reason: str
    fingerprint: str
    channel: Channel
    destination: str
    delivery_id: str
    delivery_status: Status
    notification_id: str
    attempt_no: int
    redrive_no: int = Field(description="How often its delivery was redriven so far")
    previous: str | None = Field(description="The dead letter its delivery was redriven from before it failed again")
    created_at: datetime
    redriven_at: datetime | None
    discarded_at: datetime | None
    discard_reason: str | None
    links: DeadLetterLinks


class DeadLetterPage(Schema):
    """Dead letters, newest first."""

    dead_letters: list[DeadLetter]
    next_cursor: str | None


class DeadLetterSample(Schema):
    id: str
    reason: str
    channel: Channel


class DeadLetterGroupLinks(Schema):
    dead_letters: str


class DeadLetterGroup(Schema):
    """Failures with the same cause; the sample is the latest of them."""

    fingerprint: str
    count: int
    open: int
    first_seen: datetime
    last_seen: datetime
    sample: DeadLetterSample
    links: DeadLetterGroupLinks


class DeadLetterGroupPage(Schema):
    """Groups of dead letters, the latest cause first."""

    groups: list[DeadLetterGroup]
    next_cursor: str | None


class Recipient(Schema):
    channel: Channel
    destination: str


class Recipients(Schema):
    count: int
    sample: list[Recipient]


class RedrivePreview(Schema):
    """What a redrive would do now."""

    matching: int = Field(description="Open dead letters that are meant")
    redrivable: int
    not_redrivable: int = Field(description="Their deliveries have moved on")
    past_expiry: int = Field(description="Redrivable ones past their time: they get a new lifetime unless skipped")
    recipients: Recipients


class Redriven(Schema):
    """What a redrive did."""

    redriven: int
    remaining: int = Field(description="Open dead letters that are meant and were not redriven")
    last_due_at: datetime | None


class Discarded(Schema):
    """What a discard did."""

    discarded: int
    remaining: int
