"""The shape of requests about people and what their projects have."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nofy.administration.integrations import Changed, New
from nofy.administration.tokens import Wanted
from nofy.domain.integrations import MAX_CREDENTIAL
from nofy.domain.permissions import Role, Scope
from nofy.domain.routing import Channel
from nofy.domain.timing import ROW_RETENTION
from nofy.domain.tokens import Mode
from nofy.ports.accounts import ProjectChange
from nofy.runtime.api.models import LINE, Email, Model, PageQuery, Time, small

# Rows go with their week after that, so a promise to keep content for longer could not be kept.
MAX_RETENTION_DAYS = ROW_RETENTION // (24 * 3600)

_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]+\.[^\s@<>.]+|\+[1-9][0-9]{6,14}|#?[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        message = "neither an e-mail address nor a phone number nor a Slack id (in a query, + is written %2B)"
        raise PydanticCustomError("address", message)
    return value


Title = Annotated[str, StringConstraints(pattern=LINE, strip_whitespace=True, min_length=1, max_length=70)]
# Any provider's token or address: visible ASCII, which is what fits into a header.
Credential = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=MAX_CREDENTIAL)]
# (what stands in them is the provider's: domain/integrations.py)
Settings = Annotated[dict[str, Any], AfterValidator(small)]


class _Patch(Model):
    """At least one field is another."""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not any(value is not None for value in dict(self).values()):
            raise PydanticCustomError("missing", "name what is to be another")
        return self


class ProjectRequest(Model):
    """A project to be made."""

    name: Title


class ProjectPatch(_Patch):
    """Another name, or another time to keep content after a notification ended."""

    name: Title | None = None
    retention_days: int | None = Field(None, ge=1, le=MAX_RETENTION_DAYS, strict=True)

    def change(self) -> ProjectChange:
        return ProjectChange(self.name, self.retention_days)


class ArchiveRequest(Model):
    """The name of the project that is to be archived, once more."""

    name: Annotated[str, StringConstraints(pattern=LINE, max_length=255)]


class RoleRequest(Model):
    """What a member is from now on."""

    role: Role


class InvitationRequest(Model):
    """As what somebody is invited; with an address nobody else can accept it."""

    role: Role
    email: Email | None = None


class AcceptInvitationRequest(Model):
    """What stands behind the # of an invitation's link."""

    token: Annotated[str, StringConstraints(pattern=LINE, min_length=1, max_length=255)]


class TokenRequest(Model):
    """An API token to be made."""

    name: Title
    mode: Mode
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_at: Time | None = None

    def wanted(self) -> Wanted:
        return Wanted(self.name, self.mode, tuple(each for each in Scope if each in self.scopes), self.expires_at)


class IntegrationRequest(Model):
    """A way to a provider. ``credential`` is checked with the provider, sealed, and never shown again."""

    channel: Channel
    name: Title
    settings: Settings
    credential: Credential
    default: bool = Field(False, strict=True)

    def new(self) -> New:
        return New(self.channel, self.name, self.settings, self.credential, self.default)


class IntegrationPatch(_Patch):
    """What of an integration is another. Another one becomes the default by being made it."""

    name: Title | None = None
    settings: Settings | None = None
    credential: Credential | None = None
    default: Literal[True] | None = None

    def changed(self) -> Changed:
        return Changed(self.name, self.settings, self.credential, self.default is True)


class AuditQuery(PageQuery):
    """Which entries of the audit log to list."""

    action: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$", max_length=64)] | None = None


class ErasureQuery(Model):
    """Whose data is erased: an e-mail address, a phone number or a Slack id, as notifications named it."""

    address: Annotated[str, StringConstraints(pattern=LINE, max_length=254), AfterValidator(_address)]
