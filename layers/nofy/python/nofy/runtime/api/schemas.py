"""The shape of answers, for the OpenAPI document alone: tests hold what the API really answers against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nofy.domain.lifecycle import Status
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, MessageClass, Priority, Provider


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Exchange(Schema):
    """What was asked of the provider and what came back: never a header, an address or content."""

    method: str
    path: str = Field(description="Of the provider's API, with what is secret in it left out")
    http_status: int | None = Field(description="None where no answer came")
    provider_code: str | None = Field(description="The provider's own code of its error")
    duration_ms: int


class Attempt(Schema):
    """One try at a delivery."""

    attempt_no: int
    dispatched_at: datetime
    started_at: datetime
    finished_at: datetime | None
    outcome: Literal["accepted", "throttled", "transient", "rejected", "unknown", "not_tried"] | None
    reason: str | None
    decision: Literal["done", "retry", "park", "hold", "give_up", "leave_unknown"] | None
    next_at: datetime | None = Field(description="When the decision has it tried again")
    provider_message_id: str | None
    exchange: Exchange | None = Field(description="None where nothing was asked, or before it was kept")


class Delivery(Schema):
    """The notification on one channel."""

    id: str
    channel: Channel
    provider: Provider
    status: Status
    destination: str
    due_at: datetime
    reason: str | None
    provider_message_id: str | None
    attempts: list[Attempt]


class TimelineStep(Schema):
    """Something that happened, and why."""

    at: datetime
    event: str
    channel: Channel | None
    detail: str | None
    waited_ms: int | None = Field(description="Since the step before it on the same channel")


class Links(Schema):
    self: str


class Notification(Schema):
    """A notification with its deliveries."""

    id: str
    status: Status
    message_class: MessageClass = Field(alias="class")
    priority: Priority
    mode: Literal["live", "test"]
    to: dict[str, str]
    content: dict[str, Any]
    send_at: datetime
    expires_at: datetime
    delivery_mode: DeliveryMode
    reference: str | None
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime
    deliveries: list[Delivery]
    links: Links


class DeliveryWithContent(Delivery):
    """The notification on one channel, with what it shows there: an edit of a redrive changes it here alone."""

    content: dict[str, Any] = Field(description="Empty where it was erased")


class NotificationWithTimeline(Notification):
    """A notification with everything that is known to have happened to it."""

    deliveries: list[DeliveryWithContent]  # type: ignore[assignment]  # (more of each)
    timeline: list[TimelineStep]


class NotificationPage(Schema):
    """Notifications, newest first."""

    notifications: list[Notification]
    next_cursor: str | None


class FieldProblem(Schema):
    """One thing wrong with one field."""

    path: str = Field(description="JSON Pointer into the body, or ?/name of a query parameter")
    code: str
    message: str


class Problem(Schema):
    """An error (RFC 9457). Branch on ``code``: it is stable."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | None = None
    permission: str | None = Field(None, description="With the code forbidden: what it takes")
    errors: list[FieldProblem] | None = None


class BatchResult(Schema):
    """What became of one item of a batch: a notification, or why it was refused."""

    status: Literal[202, 422]
    notification: Notification | None = None
    error: Problem | None = None


class BatchSummary(Schema):
    accepted: int
    refused: int


class Batch(Schema):
    """A result for every item, in order."""

    results: list[BatchResult]
    summary: BatchSummary


class NothingAccepted(Problem):
    """A batch of which no item can be accepted as it is (code ``nothing_accepted``), with what is wrong with each."""

    results: list[BatchResult]
    summary: BatchSummary
