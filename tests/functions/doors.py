"""Who is who, in memory: people with console tokens, their roles, and API tokens with scopes."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from nofy.domain import tokens
from nofy.domain.accounts import Actor, ActorKind, Identity
from nofy.domain.errors import TokenExpiredError, UnauthenticatedError
from nofy.domain.permissions import OF_ROLE, Role, Scope, of_scopes
from nofy.domain.tokens import Mode
from tests.unit.domain.examples import principal

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry
    from nofy.domain.notification import Principal

_random = random.Random(6)


class Doors:
    """The ports of an ``Edge`` that say who somebody is. ``loads`` counts what a database would have been asked."""

    def __init__(self) -> None:
        self.people: dict[str, Identity] = {}
        self.expired: set[str] = set()
        self.roles: dict[tuple[UUID, UUID], Role] = {}
        self.holders: dict[bytes, Principal] = {}
        self.loads = 0

    def person(self, name: str, roles: dict[UUID, Role] | None = None) -> str:
        """A console token of somebody with these roles in these projects."""
        identity = Identity("https://id.example", name, f"{name}@example.com", True, name.title())
        self.people[f"signed.{name}.here"] = identity
        for project_id, role in (roles or {}).items():
            self.roles[identity.user_id, project_id] = role
        return f"signed.{name}.here"

    def token(self, project_id: UUID, *scopes: Scope, mode: Mode = Mode.LIVE) -> str:
        """An API token with these scopes."""
        made = tokens.generate(mode, _random.choice)
        holder = principal(project_id=project_id, permissions=of_scopes(scopes), mode=mode)
        self.holders[tokens.digest(made)] = holder
        return made

    def verify(self, token: str) -> Identity:
        if token in self.expired:
            raise TokenExpiredError
        if token not in self.people:
            raise UnauthenticatedError
        return self.people[token]

    def principal(self, token_hash: bytes) -> Principal | None:
        self.loads += 1
        return self.holders.get(token_hash)

    def of_person(self, user_id: UUID, project_id: UUID, mode: Mode) -> Principal | None:
        self.loads += 1
        role = self.roles.get((user_id, project_id))
        if role is None:
            return None
        actor = Actor(ActorKind.USER, user_id)
        return replace(principal(project_id=project_id), actor=actor, permissions=OF_ROLE[role], mode=mode)


class MemoryAudit:
    """Implements :class:`nofy.ports.audit.Audit`."""

    def __init__(self) -> None:
        self.entries: list[tuple[UUID, AuditEntry]] = []

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        self.entries.append((project_id, entry))
