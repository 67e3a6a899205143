"""A project to test with: who calls, and what was planned for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nofy.domain.accounts import Actor, ActorKind
from nofy.domain.delivery import Fence, Report
from nofy.domain.notification import Draft, Integration, PlannedNotification, Principal, plan
from nofy.domain.outcomes import Accepted, Outcome
from nofy.domain.permissions import Scope, of_scopes
from nofy.domain.retry import Decision, DeliveryMode, Done
from nofy.domain.routing import PROVIDER_OF, Channel, MessageClass
from nofy.domain.tokens import Mode, digest
from nofy.ports.clock import Clock
from tests.fakes.clock import CountingIds

TO = {"email": "ada@example.com", "phone": "+15550100", "slack_channel": "C0123"}


@dataclass(frozen=True)
class Project:
    """A principal with the hash of its token, and plans of notifications."""

    principal: Principal
    token_hash: bytes
    clock: Clock
    new_id: CountingIds

    def integration(self, channel: Channel = Channel.SLACK) -> UUID:
        found = self.principal.integration_for(channel)
        assert found is not None
        return found.integration_id

    def plan(
        self,
        *channels: Channel,
        due_in: float = 0,
        expires_in: float | None = None,
        mode: DeliveryMode = DeliveryMode.AT_LEAST_ONCE,
        born_ago: float = 0,
        **draft: Any,
    ) -> PlannedNotification:
        """One notification, due ``due_in`` seconds from its birth."""
        born = self.clock() - timedelta(seconds=born_ago)
        wanted = Draft(
            to=draft.pop("to", TO),
            channels=channels or (Channel.SLACK,),
            content={"subject": "Deploy finished", "text": "Build 42 is live"},
            message_class=draft.pop("message_class", MessageClass.TRANSACTIONAL),
            send_at=born + timedelta(seconds=due_in),
            expires_at=None if expires_in is None else born + timedelta(seconds=expires_in),
            delivery_mode=mode,
            **draft,
        )
        return plan(wanted, self.principal, self.new_id.born_at, born)


def new_project(clock: Clock, new_id: CountingIds, *, mode: Mode = Mode.LIVE) -> Project:
    integrations = tuple(
        Integration(new_id(), channel, PROVIDER_OF[channel], {"sender": "Nofy"}) for channel in Channel
    )
    project_id, key_id = new_id(), new_id()
    principal = Principal(project_id, Actor(ActorKind.TOKEN, key_id), mode, integrations, of_scopes(tuple(Scope)))
    return Project(principal, digest(f"token of {key_id}"), clock, new_id)


def fences_of(*planned: PlannedNotification) -> list[Fence]:
    """The first fence of each delivery."""
    return [Fence(each.delivery_id, 1, one.send_at) for one in planned for each in one.deliveries]


def report_on(
    fence: Fence,
    outcome: Outcome | None = None,
    decision: Decision | None = None,
    *,
    at: datetime,
    credential_version: int | None = 1,
) -> Report:
    return Report(
        fence.delivery_id,
        fence.attempt_no,
        outcome or Accepted("message-1"),
        decision or Done(),
        at,
        credential_version,
    )
