"""The routes of members and invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain import invitations
from nofy.domain.ids import Prefix
from nofy.queries import accounts
from nofy.runtime.api.application import Application, body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.console import Console, ConsolePorts, identified
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from nofy.domain.accounts import Identity
    from nofy.domain.notification import Principal
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response


def register(routes: Routes, app: Application, console: Console, ports: ConsolePorts) -> None:
    """Add the routes to a resolver."""
    _register_members(routes, app, console)
    _register_invitations(routes, app, console, ports)


def _register_members(routes: Routes, app: Application, console: Console) -> None:
    @routes.of_project("listMembers")
    def index(principal: Principal) -> Response:
        found = console.members.of(principal.project_id)
        return answer(200, {"members": [accounts.member(each) for each in found]})

    @routes.of_project("changeMember")
    def change(principal: Principal, user_id: str) -> Response:
        from nofy.runtime.api.console_models import RoleRequest

        asked = read(RoleRequest, parse_json(body_of(app)))
        whom, occasion = identified(Prefix.USER, user_id), console.occasion(principal.actor)
        return answer(200, accounts.member(console.members.change_role(principal, whom, asked.role, occasion)))

    @routes.of_project("removeMember")
    def remove(principal: Principal, user_id: str) -> Response:
        whom = identified(Prefix.USER, user_id)
        console.members.remove(principal, whom, console.occasion(principal.actor))
        return answer(200, accounts.removed(Prefix.USER, whom))

    @routes.of_project("leaveProject")
    def leave(principal: Principal) -> Response:
        console.members.leave(principal, console.occasion(principal.actor))
        return answer(200, accounts.removed(Prefix.USER, principal.actor.actor_id))


def _register_invitations(routes: Routes, app: Application, console: Console, ports: ConsolePorts) -> None:
    @routes.of_project("listInvitations")
    def index(principal: Principal) -> Response:
        found = console.invitations.of(principal.project_id)
        return answer(200, {"invitations": [accounts.invitation(each) for each in found]})

    @routes.of_project("createInvitation")
    def create(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import InvitationRequest

        asked = read(InvitationRequest, parse_json(body_of(app)))
        project, occasion = console.projects.show(principal.project_id), console.occasion(principal.actor)
        invitation, token = console.invitations.invite(principal, asked.role, asked.email, occasion)
        link = invitations.link(ports.url, token)
        sent = ports.url is not None and ports.mail.send(principal, project.name, invitation, link)
        return answer(201, accounts.invitation(invitation) | {"link": link, "sent_by_email": sent})

    @routes.of_project("revokeInvitation")
    def revoke(principal: Principal, invitation_id: str) -> Response:
        which = identified(Prefix.INVITATION, invitation_id)
        console.invitations.revoke(principal.project_id, which, console.occasion(principal.actor))
        return answer(200, accounts.removed(Prefix.INVITATION, which))

    @routes.of_person("acceptInvitation")
    def accept(identity: Identity) -> Response:
        from nofy.runtime.api.console_models import AcceptInvitationRequest

        asked = read(AcceptInvitationRequest, parse_json(body_of(app)))
        membership = console.invitations.accept(identity, asked.token, console.occasion_of(identity))
        return answer(200, accounts.membership(membership))
