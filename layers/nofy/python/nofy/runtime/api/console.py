"""What the console's routes call, and on what occasion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nofy.administration.integrations import Integrations
from nofy.administration.members import Invitations, Members
from nofy.administration.occasion import Occasion
from nofy.administration.projects import Projects
from nofy.administration.tokens import Tokens
from nofy.domain.accounts import Actor, ActorKind
from nofy.domain.errors import NotFoundError
from nofy.domain.ids import Prefix, decode
from nofy.runtime.api.application import Application, request_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.domain.accounts import Identity
    from nofy.ports.accounts import Belongings, CredentialSealer, People
    from nofy.ports.clock import Clock
    from nofy.runtime.api.admission import Admission
    from nofy.runtime.api.edge import Edge
    from nofy.runtime.api.invitation_mail import InvitationMail


@dataclass(frozen=True, slots=True)
class ConsolePorts:
    """What the console is wired to. ``choose`` picks a character of a secret; ``url``: where the dashboard is."""

    edge: Edge
    admission: Admission
    people: People
    belongings: Belongings
    sealer: CredentialSealer
    mail: InvitationMail
    url: str | None
    choose: Callable[[str], str]
    clock: Clock
    new_id: Callable[[], UUID]


class Console:
    """The use cases over their ports."""

    def __init__(self, app: Application, ports: ConsolePorts) -> None:
        announce = ports.admission.changed
        self._app = app
        self._ports = ports
        self.projects = Projects(ports.people, announce)
        self.members = Members(ports.people, announce)
        self.invitations = Invitations(ports.people, announce, ports.choose)
        self.tokens = Tokens(ports.belongings, announce, ports.choose)
        self.integrations = Integrations(ports.belongings, ports.sealer, announce)

    def occasion(self, actor: Actor) -> Occasion:
        """This request."""
        return Occasion(actor, request_id(self._app), self._ports.clock(), self._ports.new_id)

    def occasion_of(self, identity: Identity) -> Occasion:
        """This request, by somebody who asks for no project."""
        return self.occasion(Actor(ActorKind.USER, identity.user_id, identity.name or identity.email))


def identified(prefix: Prefix, text: str) -> UUID:
    """The id's uuid; NotFoundError for what cannot be anybody's."""
    identifier = decode(prefix, text)
    if identifier is None:
        raise NotFoundError(text)
    return identifier
