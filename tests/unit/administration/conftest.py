"""A project with an owner, over stores in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from nofy.administration.occasion import Occasion
from nofy.administration.projects import Projects
from nofy.domain.accounts import Actor, ActorKind, Identity
from nofy.domain.permissions import OF_ROLE, Role
from nofy.domain.tokens import Mode
from tests.fakes import CountingIds, ManualClock, MemoryStore
from tests.fakes.accounts import MemoryAccounts

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.notification import Principal


def person(name: str, *, verified: bool = True) -> Identity:
    return Identity("https://id.example", name, f"{name}@example.com", verified, name.title())


OWNER = person("olga")


@dataclass
class Office:
    """Who works on which project, and what they told whom."""

    clock: ManualClock = field(default_factory=ManualClock)
    announced: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        self.accounts = MemoryAccounts(self.store, self.clock)
        self.new_id = CountingIds(self.clock)
        self.project_id = self.found("Acme")
        self.announced.clear()

    def found(self, name: str, owner: Identity = OWNER) -> UUID:
        made = Projects(self.accounts, self.announced.append).create(owner, name, self.occasion(owner))
        return made.project.project_id

    def occasion(self, who: Identity = OWNER) -> Occasion:
        self.clock.advance(1)
        return Occasion(Actor(ActorKind.USER, who.user_id, who.name), "request-1", self.clock(), self.new_id)

    def join(self, name: str, role: Role) -> Principal:
        """Somebody new in the project."""
        who = person(name)
        self.accounts.signed_in(who)
        self.store.tables.members[self.project_id, who.user_id] = self._member(who, role)
        return self.principal(who)

    def _member(self, who: Identity, role: Role) -> object:
        from nofy.domain.accounts import Member

        return Member(who.user_id, who.email, who.name, role, self.clock())

    def principal(self, who: Identity = OWNER) -> Principal:
        found = self.accounts.of_person(who.user_id, self.project_id, Mode.LIVE)
        assert found is not None
        assert found.permissions in OF_ROLE.values()
        return found

    def role(self, who: Principal) -> Role | None:
        members = {each.user_id: each.role for each in self.accounts.members(self.project_id)}
        return members.get(who.actor.actor_id)

    def log(self) -> list[tuple[str, str, dict[str, object]]]:
        entries = self.accounts.audit_log(self.project_id, None, 100)
        return [(each.action, each.target, each.details) for each in entries]


@pytest.fixture
def office() -> Office:
    return Office()
