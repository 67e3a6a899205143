"""People and what their projects have, as the API answers them. No secret comes this way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Actor, ActorKind
from nofy.domain.ids import Prefix, encode

if TYPE_CHECKING:
    from collections.abc import Iterable
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
    )
    from nofy.domain.permissions import Permission

_ACTORS = {ActorKind.USER: Prefix.USER, ActorKind.TOKEN: Prefix.KEY}


def me(identity: Identity, memberships: Iterable[Membership]) -> dict[str, Any]:
    """Who is signed in, and where they belong."""
    return {
        "user": {
            "id": encode(Prefix.USER, identity.user_id),
            "email": identity.email,
            "email_verified": identity.email_verified,
            "name": identity.name,
        },
        "projects": [membership(each) for each in memberships],
    }


def project(one: Project) -> dict[str, Any]:
    identifier = encode(Prefix.PROJECT, one.project_id)
    return {
        "id": identifier,
        "name": one.name,
        "retention_days": one.retention_days,
        "created_at": _time(one.created_at),
        "archived_at": _time(one.archived_at),
        "links": {"self": f"/v1/projects/{identifier}"},
    }


def membership(one: Membership) -> dict[str, Any]:
    """A project with what one is in it."""
    return project(one.project) | {"role": one.role.value}


def project_with_permissions(one: Project, permissions: Iterable[Permission]) -> dict[str, Any]:
    """A project with what its reader may do in it, so that a dashboard offers that and no more."""
    return project(one) | {"permissions": sorted(each.value for each in permissions)}


def member(one: Member) -> dict[str, Any]:
    return {
        "id": encode(Prefix.USER, one.user_id),
        "email": one.email,
        "name": one.name,
        "role": one.role.value,
        "joined_at": _time(one.joined_at),
    }


def invitation(one: Invitation) -> dict[str, Any]:
    return {
        "id": encode(Prefix.INVITATION, one.invitation_id),
        "role": one.role.value,
        "email": one.email,
        "created_at": _time(one.created_at),
        "expires_at": _time(one.expires_at),
    }


def token(one: ApiToken) -> dict[str, Any]:
    return {
        "id": encode(Prefix.KEY, one.token_id),
        "name": one.name,
        "mode": one.mode.value,
        "scopes": [each.value for each in one.scopes],
        "hint": one.hint,
        "created_at": _time(one.created_at),
        "expires_at": _time(one.expires_at),
        "last_used_at": _time(one.last_used_at),
        "revoked_at": _time(one.revoked_at),
    }


def integration(one: IntegrationView) -> dict[str, Any]:
    return {
        "id": encode(Prefix.INTEGRATION, one.integration_id),
        "channel": one.channel.value,
        "provider": one.provider.value,
        "name": one.name,
        "settings": one.settings,
        "credential": {"hint": one.hint, "version": one.credential_version, "checked": one.checked},
        "default": one.is_default,
        "held": one.held,
        "created_at": _time(one.created_at),
        "changed_at": _time(one.changed_at),
    }


def audit_entry(one: AuditEntry) -> dict[str, Any]:
    return {
        "id": encode(Prefix.AUDIT, one.entry_id),
        "at": _time(one.at),
        "actor": _actor(one.actor),
        "action": one.action,
        "target": one.target,
        "details": one.details,
        "request_id": one.request_id,
    }


def removed(prefix: Prefix, identifier: UUID) -> dict[str, Any]:
    """What is gone, by the id it had."""
    return {"id": encode(prefix, identifier), "removed": True}


def _actor(actor: Actor) -> dict[str, Any]:
    """An operator works beside the API, and has no id in it."""
    prefix = _ACTORS.get(actor.kind)
    identifier = encode(prefix, actor.actor_id) if prefix else None
    return {"kind": actor.kind.value, "id": identifier, "name": actor.name}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
