"""The shape of the console's answers, for the OpenAPI document alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from nofy.domain.accounts import ActorKind
from nofy.domain.permissions import Permission, Role, Scope
from nofy.domain.routing import Channel, Provider
from nofy.domain.tokens import Mode
from nofy.runtime.api.schemas import Links, Schema


class Project(Schema):
    """A tenant: everything else belongs to one."""

    id: str
    name: str
    retention_days: int = Field(description="Content is erased so long after its notification ended")
    created_at: datetime
    archived_at: datetime | None
    links: Links


class ProjectOfMember(Project):
    """A project with what one is in it."""

    role: Role


class ProjectWithPermissions(Project):
    """A project with what its reader may do in it."""

    permissions: list[Permission]


class ProjectList(Schema):
    """Where one is a member, the newest first."""

    projects: list[ProjectOfMember]


class User(Schema):
    id: str
    email: str
    email_verified: bool
    name: str


class Me(ProjectList):
    """Who is signed in, and where they belong."""

    user: User


class Member(Schema):
    """A person in a project."""

    id: str
    email: str
    name: str
    role: Role
    joined_at: datetime


class MemberList(Schema):
    members: list[Member]


class Invitation(Schema):
    """A way into a project that is open."""

    id: str
    role: Role
    email: str | None
    created_at: datetime
    expires_at: datetime


class InvitationList(Schema):
    invitations: list[Invitation]


class CreatedInvitation(Invitation):
    """An invitation with its link, which is shown this once."""

    link: str
    sent_by_email: bool


class ApiToken(Schema):
    """An API token, without its secret."""

    id: str
    name: str
    mode: Mode
    scopes: list[Scope]
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiTokenList(Schema):
    """Those that are not revoked, and those revoked within the last thirty days."""

    tokens: list[ApiToken]


class CreatedApiToken(ApiToken):
    """A new API token with its secret, which is shown this once."""

    token: str


class SealedCredential(Schema):
    """A credential as people may see it."""

    hint: str
    version: int
    checked: dict[str, Any] = Field(description="What its provider said of it when it was saved")


class Integration(Schema):
    """A way to a provider."""

    id: str
    channel: Channel
    provider: Provider
    name: str
    settings: dict[str, Any]
    credential: SealedCredential
    default: bool
    held: bool = Field(description="The provider refused the credential: deliveries wait for another one")
    created_at: datetime
    changed_at: datetime


class IntegrationList(Schema):
    integrations: list[Integration]


class AuditActor(Schema):
    kind: ActorKind
    id: str | None
    name: str


class AuditEntry(Schema):
    """One thing somebody did."""

    id: str
    at: datetime
    actor: AuditActor
    action: str
    target: str
    details: dict[str, Any]
    request_id: str


class AuditPage(Schema):
    """What was done in a project, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None


class ErasedCounts(Schema):
    notifications: int
    deliveries: int
    cancelled: int
    in_flight: int


class ErasureReport(Schema):
    """What was erased, and what remains."""

    erased: ErasedCounts
    remains: list[str]


class Removed(Schema):
    """What is gone."""

    id: str
    removed: Literal[True]
