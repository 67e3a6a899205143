"""People, projects and what they have, in memory: over the same tables as the store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Actor, ActorKind, ApiToken, IntegrationView, Member, Membership, Project
from nofy.domain.errors import ConflictError
from nofy.domain.lifecycle import LIVE
from nofy.domain.notification import Integration
from nofy.domain.permissions import OF_ROLE, Role
from tests.fakes.erasure import deliveries_of, erase, erased_answer
from tests.fakes.tables import IntegrationRow, InvitationRow, KeyRow, NotificationRow, ProjectRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry, Identity, Invitation, SealedIntegration
    from nofy.domain.notification import Principal
    from nofy.domain.tokens import Mode
    from nofy.ports.accounts import Erased, ProjectChange
    from nofy.ports.clock import Clock
    from tests.fakes.store import MemoryStore

_RANKS = list(Role)
_REVOKED_SHOWN = timedelta(days=30)


class MemoryAccounts:
    """Implements Memberships, People and Belongings."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._tables = store.tables
        self._clock = clock

    # Memberships

    def of_person(self, user_id: UUID, project_id: UUID, mode: Mode) -> Principal | None:
        member = self._tables.members.get((project_id, user_id))
        if member is None or self._archived(project_id):
            return None
        return self._store.principal_of(project_id, Actor(ActorKind.USER, user_id), mode, OF_ROLE[member.role])

    def _archived(self, project_id: UUID) -> bool:
        return self._tables.projects[project_id].project.archived_at is not None

    # People

    def signed_in(self, identity: Identity) -> None:
        self._tables.users[identity.user_id] = identity

    def projects(self, user_id: UUID) -> list[Membership]:
        found = [
            Membership(self._tables.projects[project_id].project, member.role)
            for (project_id, who), member in self._tables.members.items()
            if who == user_id
        ]
        return sorted(found, key=lambda each: (each.project.created_at, each.project.project_id), reverse=True)

    def create_project(self, project_id: UUID, name: str, owner: UUID, entry: AuditEntry) -> Project:
        project = Project(project_id, name, self._clock())
        self._tables.projects[project_id] = ProjectRow(project)
        self._join(project_id, owner, Role.OWNER)
        self.note(project_id, entry)
        return project

    def project(self, project_id: UUID) -> Project | None:
        row = self._tables.projects.get(project_id)
        return row.project if row else None

    def change_project(self, project_id: UUID, change: ProjectChange, entry: AuditEntry) -> Project | None:
        project = self.project(project_id)
        if project is None:
            return None
        wanted = {"name": change.name, "retention_days": change.retention_days}
        return self._set_project(project, entry, {key: value for key, value in wanted.items() if value is not None})

    def archive_project(self, project_id: UUID, entry: AuditEntry) -> bool:
        project = self.project(project_id)
        if project is None or project.archived_at:
            return False
        self._set_project(project, entry, {"archived_at": self._clock()})
        return True

    def _set_project(self, project: Project, entry: AuditEntry, changes: dict[str, Any]) -> Project:
        row = self._tables.projects[project.project_id]
        row.project = replace(project, **changes)
        row.audit_log.append(entry)
        return row.project

    def members(self, project_id: UUID) -> list[Member]:
        found = [each for (where, _), each in self._tables.members.items() if where == project_id]
        told = [self._told(each) for each in found]
        return sorted(told, key=lambda each: (each.joined_at, each.user_id))

    def _told(self, member: Member) -> Member:
        """Under the name and the address that they last signed in with."""
        identity = self._tables.users[member.user_id]
        return replace(member, email=identity.email, name=identity.name)

    def _join(self, project_id: UUID, user_id: UUID, role: Role) -> None:
        identity = self._tables.users[user_id]
        joined = Member(user_id, identity.email, identity.name, role, self._clock())
        known = self._tables.members.setdefault((project_id, user_id), joined)
        higher = min(known.role, role, key=_RANKS.index)
        self._tables.members[project_id, user_id] = replace(known, role=higher)

    def set_role(self, project_id: UUID, user_id: UUID, role: Role, entry: AuditEntry) -> bool:
        member = self._tables.members.get((project_id, user_id))
        if member is None:
            return False
        if role is not Role.OWNER:
            self._keep_an_owner(project_id, user_id)
        self._tables.members[project_id, user_id] = replace(member, role=role)
        self.note(project_id, entry)
        return True

    def remove_member(self, project_id: UUID, user_id: UUID, entry: AuditEntry) -> bool:
        if (project_id, user_id) not in self._tables.members:
            return False
        self._keep_an_owner(project_id, user_id)
        del self._tables.members[project_id, user_id]
        self.note(project_id, entry)
        return True

    def _keep_an_owner(self, project_id: UUID, without: UUID) -> None:
        owners = [each.user_id for each in self.members(project_id) if each.role is Role.OWNER]
        if owners == [without]:
            raise ConflictError("last_owner", "a project has at least one owner")

    def invitations(self, project_id: UUID) -> list[Invitation]:
        rows = [each for each in self._tables.invitations.values() if each.project_id == project_id]
        found = [each.invitation for each in rows if each.open(self._clock())]
        return sorted(found, key=lambda each: each.invitation_id, reverse=True)

    def invite(
        self, project_id: UUID, invitation: Invitation, token_hash: bytes, invited_by: UUID, entry: AuditEntry
    ) -> None:
        row = InvitationRow(project_id, invitation, token_hash)
        self._tables.invitations[invitation.invitation_id] = row
        self.note(project_id, entry)

    def revoke_invitation(self, project_id: UUID, invitation_id: UUID, entry: AuditEntry) -> bool:
        row = self._tables.invitations.get(invitation_id)
        if row is None or row.project_id != project_id or not row.open(self._clock()):
            return False
        row.closed = True
        self.note(project_id, entry)
        return True

    def invitation(self, token_hash: bytes) -> tuple[UUID, Invitation] | None:
        row = self._presented(token_hash)
        return (row.project_id, row.invitation) if row else None

    def accept_invitation(self, token_hash: bytes, user_id: UUID, entry: AuditEntry) -> UUID | None:
        row = self._presented(token_hash)
        if row is None:
            return None
        row.closed = True
        self._join(row.project_id, user_id, row.invitation.role)
        self.note(row.project_id, entry)
        return row.project_id

    def _presented(self, token_hash: bytes) -> InvitationRow | None:
        found = [each for each in self._tables.invitations.values() if each.token_hash == token_hash]
        return next((each for each in found if each.open(self._clock()) and not self._archived(each.project_id)), None)

    # Belongings

    def tokens(self, project_id: UUID) -> list[ApiToken]:
        shown = self._clock() - _REVOKED_SHOWN
        rows = [each for each in self._tables.keys.values() if each.project_id == project_id]
        found = [_token(each) for each in rows if each.revoked_at is None or each.revoked_at > shown]
        return sorted(found, key=lambda each: each.token_id, reverse=True)

    def create_token(self, project_id: UUID, token: ApiToken, token_hash: bytes, entry: AuditEntry) -> None:
        self._tables.keys[token_hash] = KeyRow(
            project_id,
            token.token_id,
            token.mode,
            token.created_at,
            token.name,
            token.hint,
            token.scopes,
            token.expires_at,
        )
        self.note(project_id, entry)

    def revoke_token(self, project_id: UUID, token_id: UUID, entry: AuditEntry) -> bool:
        for row in self._tables.keys.values():
            if (row.project_id, row.key_id, row.revoked_at) == (project_id, token_id, None):
                row.revoked_at = self._clock()
                self.note(project_id, entry)
                return True
        return False

    def integrations(self, project_id: UUID) -> list[IntegrationView]:
        rows = self._tables.integrations.values()
        found = [_view(each) for each in rows if each.project_id == project_id and each.removed_at is None]
        return sorted(found, key=lambda each: (each.created_at, each.integration_id))

    def integration(self, project_id: UUID, integration_id: UUID) -> IntegrationView | None:
        return next((each for each in self.integrations(project_id) if each.integration_id == integration_id), None)

    def create_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView:
        assert sealed.credential is not None
        now = self._clock()
        first = not [each for each in self.integrations(project_id) if each.channel is sealed.channel]
        integration = Integration(
            sealed.integration_id, sealed.channel, sealed.provider, sealed.settings, is_default=first
        )
        row = IntegrationRow(project_id, integration, now, now, sealed.credential)
        self._tables.integrations[sealed.integration_id] = row
        return self._settle(row, sealed, entry, default=default)

    def change_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView | None:
        known = self.integration(project_id, sealed.integration_id)
        if known is None or known.channel is not sealed.channel:
            return None
        row = self._tables.integrations[sealed.integration_id]
        row.changed_at = self._clock()
        if sealed.credential is not None:
            row.credential, row.credential_version = sealed.credential, row.credential_version + 1
        return self._settle(row, sealed, entry, default=default)

    def _settle(
        self, row: IntegrationRow, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView:
        row.name, row.hint, row.checked = sealed.name, sealed.hint, sealed.checked
        row.integration = replace(row.integration, settings=sealed.settings)
        if default:
            self._make_default(row)
        self.note(row.project_id, entry)
        return _view(row)

    def _make_default(self, row: IntegrationRow) -> None:
        for each in self.integrations(row.project_id):
            if each.channel is row.integration.channel:
                other = self._tables.integrations[each.integration_id]
                other.integration = replace(other.integration, is_default=other is row)

    def remove_integration(self, project_id: UUID, integration_id: UUID, entry: AuditEntry) -> bool:
        known = self.integration(project_id, integration_id)
        if known is None:
            return False
        rows = self._tables.deliveries.values()
        if any(each.status in LIVE and each.planned.integration_id == integration_id for each in rows):
            raise ConflictError("deliveries_waiting", "deliveries are still to be sent with this integration")
        row = self._tables.integrations[integration_id]
        row.removed_at, row.integration = self._clock(), replace(row.integration, is_default=False)
        heirs = [each for each in self.integrations(project_id) if each.channel is known.channel]
        if known.is_default and heirs:
            self._make_default(self._tables.integrations[heirs[0].integration_id])
        self.note(project_id, entry)
        return True

    def audit_log(
        self, project_id: UUID, before: UUID | None, limit: int, action: str | None = None
    ) -> list[AuditEntry]:
        asked = [each for each in self._log(project_id) if action in (None, each.action)]
        found = [each for each in asked if before is None or each.entry_id < before]
        return sorted(found, key=lambda each: each.entry_id, reverse=True)[:limit]

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        self._log(project_id).append(entry)

    def _log(self, project_id: UUID) -> list[AuditEntry]:
        row = self._tables.projects.get(project_id)
        return row.audit_log if row else []

    def erase_recipient(self, project_id: UUID, addresses: Sequence[str], entry: AuditEntry) -> Erased:
        rows = [each for each in self._tables.notifications.values() if each.project_id == project_id]
        done = erase(self._tables, [each for each in rows if self._about(each, addresses)], self._clock())
        self._erase_answers(project_id, addresses)
        self.note(project_id, entry)
        return done

    def _about(self, row: NotificationRow, addresses: Sequence[str]) -> bool:
        reached = [each.planned.destination for each in deliveries_of(self._tables, row)]
        return not set(addresses).isdisjoint([*row.planned.draft.to.values(), *reached])

    def _erase_answers(self, project_id: UUID, addresses: Sequence[str]) -> None:
        for (where, _, _), answered in self._tables.answers.items():
            told = json.dumps(answered.claim.answer)
            if where == project_id and any(json.dumps(each) in told for each in addresses):
                answered.claim = replace(answered.claim, answer=erased_answer(answered.claim.answer))


def _token(row: KeyRow) -> ApiToken:
    times = {"expires_at": row.expires_at, "last_used_at": row.last_used_at, "revoked_at": row.revoked_at}
    return ApiToken(row.key_id, row.name, row.mode, row.scopes, row.hint, row.created_at, **times)


def _view(row: IntegrationRow) -> IntegrationView:
    its = row.integration
    return IntegrationView(
        its.integration_id,
        its.channel,
        its.provider,
        row.name,
        its.settings,
        row.hint,
        its.is_default,
        row.held,
        row.credential_version,
        row.created_at,
        row.changed_at,
        row.checked,
    )
