"""What the console needs of the truth. Every method raises StoreUnavailableError when PostgreSQL cannot be asked.

What a project does not have, or what belongs to another one, is None or an empty list here: nobody learns which.
Everything that changes something takes the ``AuditEntry`` that is stored with it, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.accounts import (
        ApiToken,
        AuditEntry,
        Identity,
        IntegrationView,
        Invitation,
        Member,
        Membership,
        Project,
        ProjectLimits,
        SealedIntegration,
    )
    from nofy.domain.notification import Principal
    from nofy.domain.permissions import Role
    from nofy.domain.routing import Channel
    from nofy.domain.tokens import Mode


class Memberships(Protocol):
    """Who somebody is in a project: what a console token's every request begins with."""

    def of_person(self, user_id: UUID, project_id: UUID, mode: Mode) -> Principal | None:
        """The person's principal in a project that is not archived; None where they are no member."""


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What of a project changes; None stays as it is."""

    name: str | None = None
    retention_days: int | None = None


class People(Protocol):
    """Users, projects and members. ``user_id`` is who asks."""

    def signed_in(self, identity: Identity) -> None:
        """Note who it is: their name and address, made known to the projects they are members of."""

    def projects(self, user_id: UUID) -> list[Membership]:
        """Every project one is a member of, archived ones as well, the newest first."""

    def create_project(self, project_id: UUID, name: str, owner: UUID, entry: AuditEntry) -> Project: ...

    def project(self, project_id: UUID) -> Project | None: ...

    def change_project(self, project_id: UUID, change: ProjectChange, entry: AuditEntry) -> Project | None: ...

    def archive_project(self, project_id: UUID, entry: AuditEntry) -> bool:
        """No token of it works any more, and nobody acts in it; what is under way is sent. False if it was."""

    def members(self, project_id: UUID) -> list[Member]: ...

    def set_role(self, project_id: UUID, user_id: UUID, role: Role, entry: AuditEntry) -> bool:
        """False where there is no such member. Raises ConflictError("last_owner") rather than leave none."""

    def remove_member(self, project_id: UUID, user_id: UUID, entry: AuditEntry) -> bool:
        """As :meth:`set_role`."""

    def invitations(self, project_id: UUID) -> list[Invitation]:
        """Those that are open."""

    def invite(
        self, project_id: UUID, invitation: Invitation, token_hash: bytes, invited_by: UUID, entry: AuditEntry
    ) -> None: ...

    def revoke_invitation(self, project_id: UUID, invitation_id: UUID, entry: AuditEntry) -> bool: ...

    def invitation(self, token_hash: bytes) -> tuple[UUID, Invitation] | None:
        """An open invitation by what its link holds, with the project's id."""

    def accept_invitation(self, token_hash: bytes, user_id: UUID, entry: AuditEntry) -> UUID | None:
        """The project one is a member of now; None if the invitation is not open any more. Once."""


class Belongings(Protocol):
    """What a project has: tokens, integrations, the audit log, and its recipients' data."""

    def tokens(self, project_id: UUID) -> list[ApiToken]:
        """Those that are not revoked, and those revoked within the last thirty days."""

    def create_token(self, project_id: UUID, token: ApiToken, token_hash: bytes, entry: AuditEntry) -> None: ...

    def revoke_token(self, project_id: UUID, token_id: UUID, entry: AuditEntry) -> bool: ...

    def integrations(self, project_id: UUID) -> list[IntegrationView]: ...

    def integration(self, project_id: UUID, integration_id: UUID) -> IntegrationView | None: ...

    def create_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView:
        """The first of a channel is its default one, whatever ``default`` says."""

    def change_integration(
        self, project_id: UUID, sealed: SealedIntegration, entry: AuditEntry, *, default: bool
    ) -> IntegrationView | None:
        """With a credential: another version, so that what waits goes on. ``default`` False: as it is."""

    def remove_integration(self, project_id: UUID, integration_id: UUID, entry: AuditEntry) -> bool:
        """Raises ConflictError("deliveries_waiting") while something is to be sent with it."""

    def audit_log(
        self, project_id: UUID, before: UUID | None, limit: int, action: str | None = None
    ) -> list[AuditEntry]:
        """Newest first; with ``action`` those alone."""

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        """An entry for what was done elsewhere (an erasure, a redrive)."""

    def erase_recipient(self, project_id: UUID, addresses: Sequence[str], entry: AuditEntry) -> Erased:
        """Cancel what waits for a person and blank what is stored about them."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did. ``in_flight``: being sent this very moment, so asked again they are gone as well."""

    notifications: int
    deliveries: int
    cancelled: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class CheckedCredential:
    """A credential that its provider knows, sealed; ``details`` says whose it is, in the provider's words."""

    ciphertext: bytes
    hint: str
    details: dict[str, Any]


class CredentialSealer(Protocol):
    """The vault function, as the console sees it."""

    def check_and_seal(
        self, project_id: UUID, integration_id: UUID, channel: Channel, settings: dict[str, Any], credential: str
    ) -> CheckedCredential:
        """Raises CredentialRefusedError with the provider's reason, ProviderUnavailableError if it cannot be asked."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a project may still ask for. ``remaining`` of ``limit`` requests; all of them again in ``reset`` seconds."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int = 0
    version: str | None = None


class Quotas(Protocol):
    """How much a project asks for, kept in Redis. Raises ScheduleUnavailableError: then everything is allowed."""

    def ask(self, project_id: UUID, limits: ProjectLimits, now: datetime) -> Allowance:
        """Take one request. ``version`` changes whenever something a cached principal rests on was changed."""

    def spend(self, project_id: UUID, limits: ProjectLimits, notifications: int, now: datetime) -> Allowance:
        """Take so many notifications of the day's quota; all or none."""

    def changed(self, project_id: UUID) -> None:
        """What was cached about the project is stale everywhere from now on."""
