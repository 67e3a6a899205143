"""Values to start a story from: each test changes only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from nofy.domain.accounts import Actor, ActorKind
from nofy.domain.delivery import Fence, Leased, Report, State
from nofy.domain.lifecycle import Status
from nofy.domain.notification import Draft, Integration, Principal
from nofy.domain.outcomes import Accepted
from nofy.domain.permissions import Scope, of_scopes
from nofy.domain.retry import DeliveryMode, Done, Tried
from nofy.domain.routing import PROVIDER_OF, Channel, Lane, Priority, Provider
from nofy.domain.sending import Message, message_of
from nofy.domain.tokens import Mode

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROJECT = UUID("01950000-0000-7000-8000-000000000001")
KEY = UUID("01950000-0000-7000-8000-000000000002")
INTEGRATION = UUID("01950000-0000-7000-8000-000000000003")
NOTIFICATION = UUID("01950000-0000-7000-8000-000000000004")
DELIVERY = UUID("01950000-0000-7000-8000-000000000005")
LANE = Lane(Channel.EMAIL, Priority.NORMAL)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def state(status: Status = Status.SENDING, **changes: Any) -> State:
    return replace(State(DELIVERY, PROJECT, status, 3, 1, NOW, LANE, INTEGRATION), **changes)


def report(**changes: Any) -> Report:
    return replace(Report(DELIVERY, 3, Accepted("pm-3"), Done(), NOW, 1), **changes)


def tried(**changes: Any) -> Tried:
    return replace(Tried(0, Priority.NORMAL, DeliveryMode.AT_LEAST_ONCE, NOW + timedelta(days=3)), **changes)


def integration(channel: Channel, **changes: Any) -> Integration:
    own = UUID(int=INTEGRATION.int + 256 * (1 + list(Channel).index(channel)))
    return replace(Integration(own, channel, PROVIDER_OF[channel], {}), **changes)


def principal(*channels: Channel, **changes: Any) -> Principal:
    """With an integration for each of the channels; for all of them if none is named."""
    integrations = tuple(integration(each) for each in channels or tuple(Channel))
    return replace(
        Principal(PROJECT, Actor(ActorKind.TOKEN, KEY), Mode.LIVE, integrations, of_scopes(tuple(Scope))), **changes
    )


def draft(**changes: Any) -> Draft:
    everywhere = {"slack_channel": "C0DEPLOYS", "email": "ada@example.com", "phone": "+15550100001"}
    content = {"subject": "Deploy finished", "text": "Build 42 is live"}
    return replace(Draft(to=everywhere, channels=tuple(Channel), content=content), **changes)


def leased(**changes: Any) -> Leased:
    plain = Leased(
        fence=Fence(DELIVERY, 3, NOW),
        project_id=PROJECT,
        notification_id=NOTIFICATION,
        integration_id=INTEGRATION,
        channel=Channel.EMAIL,
        provider=Provider.BREVO,
        priority=Priority.NORMAL,
        destination="ada@example.com",
        content={"subject": "Deploy finished", "html": "<p>Build 42</p>", "text": "Build 42"},
        settings={"sender": {"email": "no-reply@example.com", "name": "Nofy"}},
        credential=b"sealed",
        credential_version=1,
        delivery_mode=DeliveryMode.AT_LEAST_ONCE,
        expires_at=NOW + timedelta(days=3),
        spent=0,
        redrive_no=0,
        live=True,
    )
    return replace(plain, **changes)


def message(**changes: Any) -> Message:
    return replace(message_of(leased()), **changes)
