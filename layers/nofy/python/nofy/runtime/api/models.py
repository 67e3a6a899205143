"""The shape of requests, as Pydantic models: what a single field may look like.

What must hold *between* fields (an address for each channel, content that a channel can show) is the domain's to
say; :mod:`nofy.runtime.api.requests` brings both together, so that a caller gets every error at once.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from nofy.domain.lifecycle import Status
from nofy.domain.notification import Draft
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, MessageClass, Priority
from nofy.domain.statistics import Range
from nofy.ports.reading import NotificationFilter
from nofy.queries.pages import DEFAULT_LIMIT, MAX_LIMIT


def _string(value: Any) -> Any:
    """Numbers are no times, not in quotes either: Pydantic would take them for seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be a string with an ISO 8601 time")
    return value


def _utc(value: datetime) -> datetime:
    """The same moment in UTC: PostgreSQL knows no offset of sixteen hours or more, which RFC 3339 allows.

    What only an offset puts into the calendar is the calendar's end.
    """
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if value.year == 1 else datetime.max.replace(tzinfo=UTC)


def _channel(value: Any) -> Any:
    """``"email"`` is short for ``{"channel": "email"}``."""
    return {"channel": value} if isinstance(value, str) else value


def small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > MAX_METADATA_BYTES:
        raise ValueError(f"at most {MAX_METADATA_BYTES} bytes of JSON")
    return value


MAX_METADATA_BYTES = 16 * 1024
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_BATCH = 100

# Header fields (subjects, names) refuse control characters: a line break in one would begin another header.
LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=998)]
Name = Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=70)]
# Deliberately simple: one @, no spaces or control characters, a dot in the domain. Only the provider knows more.
Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[^\s@<>\x00-\x1f\x7f]{1,64}@[^\s@<>\x00-\x1f\x7f]+\.[^\s@<>.\x00-\x1f\x7f]+$", max_length=254
    ),
]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
SlackChannel = Annotated[str, StringConstraints(pattern=r"^#?[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Time = Annotated[AwareDatetime, BeforeValidator(_string), AfterValidator(_utc)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,76}$")]
# Brevo sends other characters raw, and mail servers bounce them.
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$", max_length=998)]
Tag = Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=64)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class To(Model):
    """The recipient's address on each channel that is asked for."""

    email: Email | None = None
    phone: Phone | None = Field(None, description="E.164, with its plus sign")
    slack_channel: SlackChannel | None = Field(None, description="A channel id (C…) or a user id (U…)")


class ChannelChoice(Model):
    """A channel to send on."""

    channel: Channel


class Address(Model):
    """An e-mail address with a name."""

    email: Email
    name: Name | None = None


class Attachment(Model):
    """A file by reference: the provider fetches it."""

    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$", max_length=2048)]
    name: Name | None = None


class EmailContent(Model):
    """What an e-mail shows, where it differs from the common content."""

    subject: Line | None = None
    html: str | None = None
    text: str | None = None
    reply_to: Address | None = None
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=20)
    attachments: list[Attachment] = Field(default_factory=list, max_length=10)


class SlackContent(Model):
    """What a Slack message shows: text, Block Kit blocks, a thread to answer in."""

    text: str | None = None
    blocks: list[dict[str, Any]] | None = Field(None, max_length=50)
    thread_ts: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]{6}$")] | None = None
    unfurl_links: bool | None = None


class TemplateLanguage(Model):
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$")]


class Template(Model):
    """An approved WhatsApp template and its variables, as Meta's API takes them."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,512}$")]
    language: TemplateLanguage
    components: list[dict[str, Any]] = Field(default_factory=list, max_length=20)


class WhatsAppContent(Model):
    """What a WhatsApp message shows: text inside the 24-hour window, a template outside it."""

    text: str | None = None
    preview_url: bool = False
    template: Template | None = None


class Content(Model):
    """One text for every channel, refined per channel where wished."""

    subject: Line | None = None
    text: str | None = None
    email: EmailContent | None = None
    slack: SlackContent | None = None
    whatsapp: WhatsAppContent | None = None


class NotificationRequest(Model):
    """A notification to be sent: to whom, on which channels, what, and when."""

    to: To = To()
    channels: list[Annotated[ChannelChoice, BeforeValidator(_channel)]] = Field(min_length=1, max_length=len(Channel))
    content: Content
    message_class: MessageClass = Field(MessageClass.TRANSACTIONAL, alias="class")
    priority: Priority | None = None
    send_at: Time | None = None
    expires_at: Time | None = None
    delivery_mode: DeliveryMode = DeliveryMode.AT_LEAST_ONCE
    reference: Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=255)] | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    metadata: Annotated[dict[str, Any], BeforeValidator(lambda v: small(v) if isinstance(v, dict) else v)] = Field(
        default_factory=dict
    )

    def draft(self) -> Draft:
        """The request as the domain's own type."""
        return Draft(
            to=self.to.model_dump(exclude_none=True),
            channels=tuple(each.channel for each in self.channels),
            content=self.content.model_dump(exclude_none=True, exclude_defaults=True),
            message_class=self.message_class,
            priority=self.priority,
            send_at=self.send_at,
            expires_at=self.expires_at,
            delivery_mode=self.delivery_mode,
            reference=self.reference,
            tags=tuple(self.tags),
            metadata=self.metadata,
        )


class BatchRequest(Model):
    """Up to a hundred notifications at once. Each is judged by itself, so their shape is looked at one by one."""

    notifications: list[Any] = Field(min_length=1, max_length=MAX_BATCH)


class MoveRequest(Model):
    """Another time for a notification that still waits for its first."""

    send_at: Time
    expires_at: Time | None = None


class PageQuery(Model):
    """Where to start, and how many."""

    cursor: Annotated[str, StringConstraints(pattern=LINE, max_length=100)] | None = None
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


class NotificationsQuery(PageQuery):
    """Which notifications to list; ``status``, ``channel`` and ``recipient`` ask whether any one delivery is like that.

    A page may hold fewer than asked, or none, and have a next one all the same: a request looks at so many
    notifications and no more.
    """

    status: Status | None = None
    channel: Channel | None = None
    priority: Priority | None = None
    reference: Annotated[str, StringConstraints(pattern=LINE, max_length=255)] | None = None
    tag: Annotated[str, StringConstraints(pattern=LINE, max_length=64)] | None = None
    recipient: Annotated[str, StringConstraints(pattern=LINE, max_length=254)] | None = Field(
        None, description="A delivery's address, exactly as it was given"
    )
    since: Time | None = Field(None, description="Created at this time or later")
    until: Time | None = Field(None, description="Created before this time")

    def wanted(self) -> NotificationFilter:
        """The query as the store's own type."""
        return NotificationFilter(**self.model_dump(exclude={"cursor", "limit"}))


class StatisticsQuery(Model):
    """How far back to look."""

    range: Range = Range.DAY
