"""What a client asks for, and the plan made of it: one notification, a delivery for each of its channels.

Drafts and plans are not frozen, though nobody changes them: a frozen instance takes three times as long to make, and a
batch makes three hundred.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Actor, ProjectLimits
from nofy.domain.content import render, rendered_errors
from nofy.domain.errors import FieldError, InvalidRequestError
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import (
    PROVIDER_OF,
    Channel,
    Lane,
    MessageClass,
    Priority,
    Provider,
    priority_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from nofy.domain.permissions import Permission
    from nofy.domain.tokens import Mode

# A delivery nobody wanted to expire ends all the same: three days of a provider being down is long enough.
DEFAULT_LIFETIME = timedelta(days=3)
MAX_AHEAD = timedelta(days=365)

# Where each channel's address stands in ``to``.
ADDRESS_FIELD: dict[Channel, str] = {
    Channel.SLACK: "slack_channel",
    Channel.EMAIL: "email",
    Channel.WHATSAPP: "phone",
}


@dataclass(frozen=True, slots=True)
class Integration:
    """A project's way to one provider, as far as accepting needs to know it."""

    integration_id: UUID
    channel: Channel
    provider: Provider
    settings: dict[str, Any]
    is_default: bool = True

    @property
    def fixed_destination(self) -> str | None:
        """A Slack incoming webhook posts into one channel, whatever the notification says."""
        return "incoming-webhook" if self.settings.get("kind") == "webhook" else None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, for which project, what they may do there, and what the project can send with.

    ``mode`` is the token's, or the one that a person looks at; ``valid_until`` is when the token ends, if it does.
    """

    project_id: UUID
    actor: Actor
    mode: Mode
    integrations: tuple[Integration, ...] = ()
    permissions: frozenset[Permission] = frozenset()
    limits: ProjectLimits = field(default_factory=ProjectLimits)
    valid_until: datetime | None = None

    def integration_for(self, channel: Channel) -> Integration | None:
        """The integration a channel is sent with: its default one."""
        for each in self.integrations:
            if each.channel is channel and each.is_default:
                return each
        return None


@dataclass(slots=True)
class Draft:
    """A request whose every field is well-formed by itself."""

    to: dict[str, str]
    channels: tuple[Channel, ...]
    content: dict[str, Any]
    message_class: MessageClass = MessageClass.TRANSACTIONAL
    priority: Priority | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    delivery_mode: DeliveryMode = DeliveryMode.AT_LEAST_ONCE
    reference: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PlannedDelivery:
    """A delivery about to be stored."""

    delivery_id: UUID
    integration_id: UUID
    lane: Lane
    provider: Provider
    destination: str
    content: dict[str, Any]


@dataclass(slots=True)
class PlannedNotification:
    """A notification about to be stored, with its deliveries; all of them are due at ``send_at``."""

    notification_id: UUID
    created_at: datetime
    send_at: datetime
    expires_at: datetime
    priority: Priority
    draft: Draft
    deliveries: tuple[PlannedDelivery, ...]


def plan(draft: Draft, principal: Principal, born_at: Callable[[datetime], UUID], now: datetime) -> PlannedNotification:
    """Classify, route and render a draft; :class:`InvalidRequestError` with everything that is wrong with it.

    ``born_at`` makes the ids, of the moment that it is given.
    """
    rendered = {each: render(each, draft.content) for each in draft.channels}
    if errors := _draft_errors(draft, rendered, principal, now):
        raise InvalidRequestError(errors)
    priority = priority_for(draft.message_class, draft.priority)
    send_at = max(draft.send_at or now, now)
    notification_id = born_at(now)
    # In the order in which the channels were asked for, which is how they are shown: within a millisecond, ids are not.
    ids = sorted([born_at(now) for _ in draft.channels])
    return PlannedNotification(
        notification_id=notification_id,
        created_at=now,
        send_at=send_at,
        expires_at=draft.expires_at or send_at + DEFAULT_LIFETIME,
        priority=priority,
        draft=draft,
        deliveries=tuple(
            _delivery(draft, each, rendered[each], priority, principal, its)
            for each, its in zip(draft.channels, ids, strict=True)
        ),
    )


def _delivery(
    draft: Draft,
    channel: Channel,
    rendered: dict[str, Any],
    priority: Priority,
    principal: Principal,
    delivery_id: UUID,
) -> PlannedDelivery:
    integration = principal.integration_for(channel)
    assert integration is not None  # the draft was refused otherwise
    return PlannedDelivery(
        delivery_id=delivery_id,
        integration_id=integration.integration_id,
        lane=Lane(channel, priority),
        provider=PROVIDER_OF[channel],
        destination=integration.fixed_destination or draft.to[ADDRESS_FIELD[channel]],
        content=rendered,
    )


def _draft_errors(
    draft: Draft, rendered: dict[Channel, dict[str, Any]], principal: Principal, now: datetime
) -> list[FieldError]:
    """Everything that is wrong between well-formed fields, and with the times."""
    errors = time_errors(draft.send_at, draft.expires_at, now) + channel_errors(draft.channels)
    for index, channel in enumerate(draft.channels):
        errors += routing_errors(index, channel, draft.to, principal)
        errors += rendered_errors(channel, rendered[channel])
    return errors


def channel_errors(channels: Sequence[Channel | None]) -> list[FieldError]:
    """A channel twice would be a message twice."""
    return [
        FieldError(f"/channels/{index}", "duplicate", f"{channel} stands here twice")
        for index, channel in enumerate(channels)
        if channel is not None and channel in channels[:index]
    ]


def routing_errors(index: int, channel: Channel, to: dict[str, Any], principal: Principal) -> list[FieldError]:
    """Whether a channel has an integration to send with and an address to send to."""
    integration = principal.integration_for(channel)
    if integration is None:
        message = f"this project has no integration for {channel}"
        return [FieldError(f"/channels/{index}", "integration_missing", message)]
    address = ADDRESS_FIELD[channel]
    if not integration.fixed_destination and not to.get(address):
        return [FieldError(f"/to/{address}", "address_missing", f"{channel} needs to.{address}")]
    return []


def time_errors(send_at: datetime | None, expires_at: datetime | None, now: datetime) -> list[FieldError]:
    """Times that are out of bounds or in the wrong order."""
    errors = []
    if send_at and send_at > now + MAX_AHEAD:
        errors.append(FieldError("/send_at", "too_far_ahead", "at most 365 days ahead"))
    if expires_at and expires_at <= max(send_at or now, now):
        errors.append(FieldError("/expires_at", "already_past", "must be after send_at and in the future"))
    if expires_at and expires_at > now + 2 * MAX_AHEAD:
        errors.append(FieldError("/expires_at", "too_far_ahead", "at most two years ahead"))
    return errors
