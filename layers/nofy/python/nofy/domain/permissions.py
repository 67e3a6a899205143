"""Who may do what: one table for people (by their role in a project) and one for API tokens (by their scopes).

Nothing else in Nofy decides about it: every route names the one permission it needs (``runtime/api/operations.py``),
and a test holds each route against each role and each scope.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One thing that can be allowed within a project."""

    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_SEND = "notifications:send"
    NOTIFICATIONS_AMEND = "notifications:amend"
    DEAD_LETTERS_READ = "dead_letters:read"
    DEAD_LETTERS_MANAGE = "dead_letters:manage"
    INTEGRATIONS_READ = "integrations:read"
    INTEGRATIONS_MANAGE = "integrations:manage"
    TOKENS_READ = "tokens:read"
    TOKENS_MANAGE = "tokens:manage"
    MEMBERS_READ = "members:read"
    MEMBERS_MANAGE = "members:manage"
    OWNERS_MANAGE = "owners:manage"
    AUDIT_READ = "audit:read"
    RECIPIENTS_ERASE = "recipients:erase"
    PROJECT_READ = "project:read"
    PROJECT_UPDATE = "project:update"
    PROJECT_ARCHIVE = "project:archive"


class Role(StrEnum):
    """What a member is in a project. Each may do all that the next one may."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What an API token is for. A token has one or more."""

    SEND = "send"
    READ = "read"
    MANAGE = "manage"


_VIEWER = frozenset(
    {
        Permission.NOTIFICATIONS_READ,
        Permission.DEAD_LETTERS_READ,
        Permission.INTEGRATIONS_READ,
        Permission.TOKENS_READ,
        Permission.MEMBERS_READ,
        Permission.PROJECT_READ,
    }
)
_DEVELOPER = _VIEWER | {
    Permission.NOTIFICATIONS_SEND,
    Permission.NOTIFICATIONS_AMEND,
    Permission.DEAD_LETTERS_MANAGE,
    Permission.TOKENS_MANAGE,
}
_ADMIN = _DEVELOPER | {
    Permission.INTEGRATIONS_MANAGE,
    Permission.MEMBERS_MANAGE,
    Permission.AUDIT_READ,
    Permission.RECIPIENTS_ERASE,
    Permission.PROJECT_UPDATE,
}
_OWNER = _ADMIN | {Permission.OWNERS_MANAGE, Permission.PROJECT_ARCHIVE}

OF_ROLE: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.DEVELOPER: _DEVELOPER,
    Role.VIEWER: _VIEWER,
}

# A token never manages people, tokens or the project itself: whoever steals one cannot make it outlive its revocation.
OF_SCOPE: dict[Scope, frozenset[Permission]] = {
    Scope.SEND: frozenset({Permission.NOTIFICATIONS_SEND, Permission.NOTIFICATIONS_AMEND}),
    Scope.READ: frozenset(
        {
            Permission.NOTIFICATIONS_READ,
            Permission.DEAD_LETTERS_READ,
            Permission.INTEGRATIONS_READ,
            Permission.PROJECT_READ,
        }
    ),
    Scope.MANAGE: frozenset(
        {
            Permission.DEAD_LETTERS_MANAGE,
            Permission.INTEGRATIONS_MANAGE,
            Permission.RECIPIENTS_ERASE,
            Permission.AUDIT_READ,
        }
    ),
}


def of_scopes(scopes: tuple[Scope, ...]) -> frozenset[Permission]:
    """What a token with these scopes may do."""
    return frozenset[Permission]().union(*(OF_SCOPE[each] for each in scopes))
