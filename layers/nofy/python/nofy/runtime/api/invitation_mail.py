"""Invitations by e-mail, sent the way everything is sent here: as a notification of the project that invites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nofy.domain.errors import NofyError
from nofy.domain.notification import Draft, plan
from nofy.domain.routing import Channel, MessageClass
from nofy.domain.tokens import Mode
from nofy.pipeline.accept import accept
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.accounts import Invitation
    from nofy.domain.notification import Principal
    from nofy.ports.clock import Clock
    from nofy.ports.schedule import Schedule
    from nofy.ports.store import Acceptances
    from nofy.runtime.api.admission import Admission

TEXT = """You are invited to "{project}" as {role}.

Open this link and sign in with this address ({email}) to join:

{link}

It can be used once, until {ends}. If you did not expect it, there is nothing to do.
"""


@dataclass(frozen=True, slots=True)
class InvitationMail:
    """Sends an invitation's link to the address it is for.

    Whoever reads the project's notifications reads the link too. It is of no use to them: only the person with the
    verified address can accept it.
    """

    store: Acceptances
    schedule: Schedule
    admission: Admission
    clock: Clock
    born_at: Callable[[datetime], UUID]

    def send(self, principal: Principal, project: str, invitation: Invitation, link: str) -> bool:
        """Whether it is on its way. Where the project cannot send e-mail (now), the link is there to be copied."""
        if invitation.email is None or principal.integration_for(Channel.EMAIL) is None:
            return False
        try:
            self._accept(replace(principal, mode=Mode.LIVE), _draft(project, invitation, invitation.email, link))
        except NofyError:
            logger.warning("the invitation is not sent by e-mail", exc_info=True)
            return False
        return True

    def _accept(self, principal: Principal, draft: Draft) -> None:
        planned = plan(draft, principal, self.born_at, self.clock())
        self.admission.spend(principal, 1)
        accept(principal, [planned], None, store=self.store, schedule=self.schedule, clock=self.clock)


def _draft(project: str, invitation: Invitation, email: str, link: str) -> Draft:
    ends = invitation.expires_at.strftime("%d %B %Y, %H:%M UTC")
    text = TEXT.format(project=project, role=invitation.role.value, email=email, link=link, ends=ends)
    return Draft(
        to={"email": email},
        channels=(Channel.EMAIL,),
        content={"subject": f"Invitation to {project}", "text": text},
        message_class=MessageClass.TRANSACTIONAL,
        expires_at=invitation.expires_at,
        tags=("invitation",),
    )
