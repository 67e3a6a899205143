"""People, the projects they belong to, and what a project has: tokens, integrations, a log of who did what."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from nofy.domain.ids import NAMESPACE

if TYPE_CHECKING:
    from datetime import datetime

    from nofy.domain.permissions import Role, Scope
    from nofy.domain.routing import Channel, Provider
    from nofy.domain.tokens import Mode

# Content of notifications that ended longer ago is erased, unless a project says otherwise. Within what the
# partitions keep (``domain/timing.py``).
DEFAULT_RETENTION_DAYS = 90
INVITATION_DAYS = 7
# What a project may weigh at dispatch beside one that weighs 1: beyond a hundred to one nobody would call it sharing.
MOST_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a sign-in service vouched for. ``issuer`` and ``subject`` together never name anybody else.

    ``issuer`` is ``appwrite:<endpoint>/<project>`` or an OIDC issuer's URL.
    """

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str

    @property
    def user_id(self) -> UUID:
        """The same for the same person everywhere: who signs people in need not ask the database."""
        return uuid5(NAMESPACE, f"{self.issuer}\n{self.subject}")


class ActorKind(StrEnum):
    """Who does something in a project."""

    USER = "user"
    TOKEN = "token"  # noqa: S105  # the name of a kind, not a secret
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person or an API token, and the name an audit log shows for it."""

    kind: ActorKind
    actor_id: UUID
    name: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant. ``retention_days`` is how long content is kept after a notification ended."""

    project_id: UUID
    name: str
    created_at: datetime
    archived_at: datetime | None = None
    retention_days: int = DEFAULT_RETENTION_DAYS


@dataclass(frozen=True, slots=True)
class ProjectLimits:
    """How much a project may ask for: requests a second with a burst, and notifications a day (UTC).

    The defaults are far above what one person does by hand, and far below what would starve a neighbour:
    the accept path of one producer takes some 80 requests a second. An operator sets others.
    """

    requests_per_second: float = 50.0
    burst: int = 200
    notifications_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """One person's role in one project."""

    project: Project
    role: Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person as their project sees them."""

    user_id: UUID
    email: str
    name: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way into a project, open until it is accepted, revoked or past its time. Its token is stored as a hash."""

    invitation_id: UUID
    role: Role
    email: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token without its secret; ``hint`` is what a person may see of it."""

    token_id: UUID
    name: str
    mode: Mode
    scopes: tuple[Scope, ...]
    hint: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """An integration as people see it: its credential as ``hint`` alone.

    ``held``: its provider refused the credential, and deliveries wait for another one. ``checked`` is what the
    provider said of the credential when it was saved (a workspace's name, an account's address).
    """

    integration_id: UUID
    channel: Channel
    provider: Provider
    name: str
    settings: dict[str, Any]
    hint: str
    is_default: bool
    held: bool
    credential_version: int
    created_at: datetime
    changed_at: datetime
    checked: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedIntegration:
    """What is stored of an integration: settings in the clear, the credential as KMS sealed it.

    ``credential`` None: only the rest changes.
    """

    integration_id: UUID
    channel: Channel
    provider: Provider
    name: str
    settings: dict[str, Any]
    credential: bytes | None
    hint: str
    checked: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing somebody did. ``target`` is the id of what it was done to, as the API writes it."""

    entry_id: UUID
    at: datetime
    actor: Actor
    action: str
    target: str
    details: dict[str, Any]
    request_id: str
