"""People, their projects, and what a project has: the console's part of the store, and the check of a membership."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.acceptances import integrations_of, limits_of
from nofy.adapters.postgres.account_rows import invitation_of, project_of, sealed_parameters, token_of, view_of
from nofy.adapters.postgres.audit import entry_of, entry_parameters, noted
from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.reading import AS_PROJECT
from nofy.domain.accounts import Actor, ActorKind, Member, Membership
from nofy.domain.errors import ConflictError
from nofy.domain.notification import Principal
from nofy.domain.permissions import OF_ROLE, Role
from nofy.ports.accounts import Erased

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.domain.accounts import (
        ApiToken,
        AuditEntry,
        Identity,
        IntegrationView,
        Invitation,
        Project,
        SealedIntegration,
    )
    from nofy.domain.tokens import Mode
    from nofy.ports.accounts import ProjectChange

Row = tuple[Any, ...]


class PostgresMemberships:
    """Implements :class:`nofy.ports.accounts.Memberships`, for whichever role asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_person(self, user_id: UUID, project_id: UUID, mode: Mode) -> Principal | None:
        """Their name stands in their token: who asks fills it in."""
        parameters = {"user_id": user_id, "project_id": project_id}
        for role, integrations, *limits in self._database.run(statement("membership"), parameters):
            actor = Actor(ActorKind.USER, user_id)
            permissions = OF_ROLE[Role(role)]
            return Principal(project_id, actor, mode, integrations_of(integrations), permissions, limits_of(*limits))
        return None


class PostgresPeople:
    """Implements :class:`nofy.ports.accounts.People`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def signed_in(self, identity: Identity) -> None:
        known = {"issuer": identity.issuer, "subject": identity.subject, "name": identity.name}
        address = {"email": identity.email, "email_verified": identity.email_verified}
        self._database.run(statement("signed_in"), {"user_id": identity.user_id} | known | address)

    def projects(self, user_id: UUID) -> list[Membership]:
        rows = self._database.run(statement("projects_of_person"), {"user_id": user_id})
        return [Membership(project_of(rest), Role(role)) for role, *rest in rows]

    def create_project(self, project_id: UUID, name: str, owner: UUID, entry: AuditEntry) -> Project:
        return project_of(self._noted("new_project", project_id, entry, name=name, owner=owner)[0])

    def project(self, project_id: UUID) -> Project | None:
        rows = self._run("project", project_id)
        return project_of(rows[0]) if rows else None

    def change_project(self, project_id: UUID, change: ProjectChange, entry: AuditEntry) -> Project | None:
        wanted = {"name": change.name, "retention_days": change.retention_days}
        rows = self._noted("change_project", project_id, entry, **wanted)
        return project_of(rows[0]) if rows else None

    def archive_project(self, project_id: UUID, entry: AuditEntry) -> bool:
        return bool(self._noted("archive_project", project_id, entry))

    def members(self, project_id: UUID) -> list[Member]:
        rows = self._run("members", project_id)
        return [Member(user_id, email, name, Role(role), joined) for user_id, email, name, role, joined in rows]

    def set_role(self, project_id: UUID, user_id: UUID, role: Role, entry: AuditEntry) -> bool:
        return _changed(self._noted("set_role", project_id, entry, user_id=user_id, role=role))

    def remove_member(self, project_id: UUID, user_id: UUID, entry: AuditEntry) -> bool:
        return _changed(self._noted("remove_member", project_id, entry, user_id=user_id))

    def invitations(self, project_id: UUID) -> list[Invitation]:
        return [invitation_of(row) for row in self._run("invitations", project_id)]

    def invite(
        self, project_id: UUID, invitation: Invitation, token_hash: bytes, invited_by: UUID, entry: AuditEntry
    ) -> None:
        self._noted(
            "invite",
            project_id,
            entry,
            id=invitation.invitation_id,
            role=invitation.role,
            email=invitation.email,
            token_hash=token_hash,
            invited_by=invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )

    def revoke_invitation(self, project_id: UUID, invitation_id: UUID, entry: AuditEntry) -> bool:
        return bool(self._noted("revoke_invitation", project_id, entry, id=invitation_id))

    def invitation(self, token_hash: bytes) -> tuple[UUID, Invitation] | None:
        text = statement("presented_invitation") + statement("invitation")
        rows = self._database.run(text, {"token_hash": token_hash.hex()})
        return (rows[0][0], invitation_of(rows[0][1:])) if rows else None

    def accept_invitation(self, token_hash: bytes, user_id: UUID, entry: AuditEntry) -> UUID | None:
        text = statement("presented_invitation") + noted("accept_invitation")
        parameters = {"token_hash": token_hash.hex(), "user_id": user_id} | entry_parameters(entry)
        rows = self._database.run(text, parameters)
        return rows[0][0] if rows else None

    def _run(self, query: str, project_id: UUID, **parameters: Any) -> list[Row]:
        return self._database.run(AS_PROJECT + statement(query), {"project_id": project_id} | parameters)

    def _noted(self, query: str, project_id: UUID, entry: AuditEntry, **parameters: Any) -> list[Row]:
        """A change and its entry in the audit log, in one trip and so in one transaction."""
        known = {"project_id": project_id} | entry_parameters(entry)
        return self._database.run(AS_PROJECT + noted(query), known | parameters)


class PostgresBelongings:
    """Implements :class:`nofy.ports.accounts.Belongings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tokens(self, project_id: UUID) -> list[ApiToken]:
        return [token_of(row) for row in self._run(statement("tokens"), project_id)]

    def create_token(self, project_id: UUID, token: ApiToken, token_hash: bytes, entry: AuditEntry) -> None:
        self._run(
            noted("create_token"),
            project_id,
            entry,
            id=token.token_id,
            name=token.name,
            mode=token.mode,
            token_hash=token_hash,
            hint=token.hint,
            scopes=list(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )

    def revoke_token(self, project_id: UUID, token_id: UUID, entry: AuditEntry) -> bool:
        return bool(self._run(noted("revoke_token"), project_id, entry, id=token_id))

    def integrations(self, project_id: UUID) -> list[IntegrationView]:
        return [view_of(row) for row in self._run(_viewed("integrations"), project_id, id=None)]

    def integration(self, project_id: UUID, integration_id: UUID) -> IntegrationView | None:
        rows = self._run(_viewed("integrations"), project_id, id=integration_id)
        return view_of(rows[0]) if rows else None

    def create_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView:
        text = statement("lock_project") + _viewed("create_integration")
        return view_of(self._run(text, project_id, entry, default=default, **sealed_parameters(sealed))[0])

    def change_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView | None:
        # Never ``coalesce(new, credential)``: the console may write the ciphertext and not read it.
        resealed = statement("reseal_integration") if sealed.credential is not None else ""
        text = statement("lock_project") + resealed + _viewed("change_integration")
        rows = self._run(text, project_id, entry, default=default, **sealed_parameters(sealed))
        return view_of(rows[0]) if rows else None

    def remove_integration(self, project_id: UUID, integration_id: UUID, entry: AuditEntry) -> bool:
        text = statement("lock_project") + noted("remove_integration")
        rows = self._run(text, project_id, entry, id=integration_id)
        if rows and rows[0][0]:
            raise ConflictError("deliveries_waiting", "deliveries are still to be sent with this integration")
        return bool(rows)

    def audit_log(
        self, project_id: UUID, before: UUID | None, limit: int, action: str | None = None
    ) -> list[AuditEntry]:
        asked: dict[str, Any] = {"before": before, "limit": limit, "action": action}
        return [entry_of(row) for row in self._run(statement("audit_log"), project_id, **asked)]

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        self._run(noted("note"), project_id, entry)

    def erase_recipient(self, project_id: UUID, addresses: Sequence[str], entry: AuditEntry) -> Erased:
        # As they stand in a stored answer, in their quotation marks: no address is a part of another one there.
        quoted = [json.dumps(each) for each in addresses]
        rows = self._run(noted("erase_recipient"), project_id, entry, addresses=list(addresses), quoted=quoted)
        return Erased(*rows[0])

    def _run(self, text: str, project_id: UUID, entry: AuditEntry | None = None, **parameters: Any) -> list[Row]:
        known = {"project_id": project_id} | (entry_parameters(entry) if entry else {})
        return self._database.run(AS_PROJECT + text, known | parameters)


def _viewed(query: str) -> str:
    return noted(query).replace("/* view */", statement("integration_view"))


def _changed(rows: list[Row]) -> bool:
    if rows and rows[0][0]:
        raise ConflictError("last_owner", "a project has at least one owner")
    return bool(rows)
