"""Between rows and values: projects, invitations, tokens and integrations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import DEFAULT_RETENTION_DAYS, ApiToken, IntegrationView, Invitation, Project
from nofy.domain.permissions import Role, Scope
from nofy.domain.routing import Channel, Provider
from nofy.domain.tokens import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.accounts import SealedIntegration


def sealed_parameters(sealed: SealedIntegration) -> dict[str, Any]:
    """What the statements take that create an integration or change it."""
    return {
        "id": sealed.integration_id,
        "channel": sealed.channel,
        "provider": sealed.provider,
        "name": sealed.name,
        "settings": json.dumps(sealed.settings),
        "credential": sealed.credential,
        "hint": sealed.hint,
        "checked": json.dumps(sealed.checked),
    }


def project_of(row: Sequence[Any]) -> Project:
    identifier, name, created_at, archived_at, retention_days = row
    return Project(identifier, name, created_at, archived_at, retention_days or DEFAULT_RETENTION_DAYS)


def invitation_of(row: Sequence[Any]) -> Invitation:
    identifier, role, email, created_at, expires_at = row
    return Invitation(identifier, Role(role), email, created_at, expires_at)


def token_of(row: Sequence[Any]) -> ApiToken:
    identifier, name, mode, scopes, *rest = row
    return ApiToken(identifier, name, Mode(mode), tuple(Scope(each) for each in scopes), *rest)


def view_of(row: Sequence[Any]) -> IntegrationView:
    identifier, channel, provider, *rest = row
    return IntegrationView(identifier, Channel(channel), Provider(provider), *rest)
