"""Members and invitations: who is in a project, as what, and how one gets there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from nofy.administration.bounds import refuse_beyond
from nofy.domain import invitations
from nofy.domain.accounts import INVITATION_DAYS, Invitation, Membership
from nofy.domain.errors import ForbiddenError, InvitationForAnotherError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import OF_ROLE, Permission, Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.administration.occasion import Announce, Occasion
    from nofy.domain.accounts import Identity, Member
    from nofy.domain.notification import Principal
    from nofy.ports.accounts import People


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in a project, and as what. The caller's own permissions bound what they give to others."""

    people: People
    announce: Announce

    def of(self, project_id: UUID) -> list[Member]:
        return self.people.members(project_id)

    def change_role(self, principal: Principal, user_id: UUID, role: Role, occasion: Occasion) -> Member:
        """Raises ConflictError where it would leave a project without an owner."""
        member = self._member(principal, user_id)
        _may_give(principal, member.role)
        _may_give(principal, role)
        details = {"from": member.role.value, "to": role.value}
        entry = occasion.entry("member.role_changed", encode(Prefix.USER, user_id), **details)
        if not self.people.set_role(principal.project_id, user_id, role, entry):
            raise NotFoundError(str(user_id))
        self.announce(principal.project_id)
        return replace(member, role=role)

    def remove(self, principal: Principal, user_id: UUID, occasion: Occasion) -> None:
        """As :meth:`change_role`."""
        member = self._member(principal, user_id)
        _may_give(principal, member.role)
        self._part(principal, member, "member.removed", occasion)

    def leave(self, principal: Principal, occasion: Occasion) -> None:
        """Anybody may go, but for the last owner."""
        self._part(principal, self._member(principal, principal.actor.actor_id), "member.left", occasion)

    def _part(self, principal: Principal, member: Member, action: str, occasion: Occasion) -> None:
        entry = occasion.entry(action, encode(Prefix.USER, member.user_id), role=member.role.value)
        if not self.people.remove_member(principal.project_id, member.user_id, entry):
            raise NotFoundError(str(member.user_id))
        self.announce(principal.project_id)

    def _member(self, principal: Principal, user_id: UUID) -> Member:
        found = [each for each in self.people.members(principal.project_id) if each.user_id == user_id]
        if not found:
            raise NotFoundError(str(user_id))
        return found[0]


@dataclass(frozen=True, slots=True)
class Invitations:
    """Ways into a project, each open for one person, once. ``choose`` picks a character of a new token."""

    people: People
    announce: Announce
    choose: Callable[[str], str]

    def of(self, project_id: UUID) -> list[Invitation]:
        return self.people.invitations(project_id)

    def invite(self, principal: Principal, role: Role, email: str | None, occasion: Occasion) -> tuple[Invitation, str]:
        """The invitation, and its token: it is known now and never again."""
        _may_give(principal, role)
        refuse_beyond("invitations", len(self.of(principal.project_id)))
        token = invitations.generate(self.choose)
        ends = occasion.now + timedelta(days=INVITATION_DAYS)
        invitation = Invitation(occasion.new_id(), role, email, occasion.now, ends)
        entry = occasion.entry("invitation.created", _named(invitation), role=role.value, for_one_address=bool(email))
        digest, inviter = invitations.digest(token), principal.actor.actor_id
        self.people.invite(principal.project_id, invitation, digest, inviter, entry)
        return invitation, token

    def revoke(self, project_id: UUID, invitation_id: UUID, occasion: Occasion) -> None:
        entry = occasion.entry("invitation.revoked", encode(Prefix.INVITATION, invitation_id))
        if not self.people.revoke_invitation(project_id, invitation_id, entry):
            raise NotFoundError(str(invitation_id))

    def accept(self, identity: Identity, token: str, occasion: Occasion) -> Membership:
        """One is a member now. NotFoundError if it was revoked, used or is past its time, which nobody is told."""
        digest = invitations.digest(token)
        found = self.people.invitation(digest) if invitations.well_formed(token) else None
        if found is None:
            raise NotFoundError("invitation")
        invitation = found[1]
        if not _is_for(invitation, identity):
            raise InvitationForAnotherError
        self.people.signed_in(identity)
        entry = occasion.entry("invitation.accepted", _named(invitation), role=invitation.role.value)
        project_id = self.people.accept_invitation(digest, identity.user_id, entry)
        if project_id is None:
            raise NotFoundError("invitation")
        self.announce(project_id)
        return self._membership(identity.user_id, project_id)

    def _membership(self, user_id: UUID, project_id: UUID) -> Membership:
        """As it is by now: who was a member before the invitation keeps what they were, if that is more."""
        mine = [each for each in self.people.projects(user_id) if each.project.project_id == project_id]
        if not mine:
            raise NotFoundError(str(project_id))
        return mine[0]


def _named(invitation: Invitation) -> str:
    return encode(Prefix.INVITATION, invitation.invitation_id)


def _is_for(invitation: Invitation, identity: Identity) -> bool:
    """An address that nobody has proved to be theirs opens nothing."""
    if invitation.email is None:
        return True
    return identity.email_verified and _mailbox(identity.email) == _mailbox(invitation.email)


def _mailbox(email: str) -> bytes:
    """Without regard to A and a, and to nothing else: Unicode's rules take ``ß`` for ``ss``, mail servers do not."""
    return email.encode(errors="surrogatepass").lower()


def _may_give(principal: Principal, role: Role) -> None:
    """Nobody gives (or takes) a role that may do more than they may themselves: in effect, owners make owners."""
    for missing in sorted(OF_ROLE[role] - principal.permissions):
        raise ForbiddenError(Permission.OWNERS_MANAGE if role is Role.OWNER else missing)
