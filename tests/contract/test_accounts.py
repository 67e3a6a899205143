"""People, projects, members and invitations: who is what where, and that no project is left without an owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from nofy.domain.accounts import (
    DEFAULT_RETENTION_DAYS,
    Actor,
    ActorKind,
    AuditEntry,
    Identity,
    Invitation,
    ProjectLimits,
)
from nofy.domain.errors import ConflictError
from nofy.domain.permissions import OF_ROLE, Role
from nofy.domain.tokens import Mode
from nofy.ports.accounts import ProjectChange
from tests.contract.stores import Backend

NOWHERE = UUID(int=7)
HASH = b"h" * 32


def person(store: Backend, name: str = "ada") -> Identity:
    identity = Identity("appwrite:https://id.example/p", name, f"{name}@example.com", True, name.title())
    store.people.signed_in(identity)
    return identity


def entry(store: Backend, action: str = "tested", **more: object) -> AuditEntry:
    actor = Actor(ActorKind.USER, UUID(int=1), "Ada")
    return AuditEntry(store.new_id(), store.now(), actor, action, "prj_x", {"was": more}, "req-1")


def project_of(store: Backend, owner: Identity, name: str = "Acme") -> UUID:
    return store.people.create_project(store.new_id(), name, owner.user_id, entry(store, "project.created")).project_id


def invite(store: Backend, project_id: UUID, role: Role, token_hash: bytes = HASH, days: float = 7) -> Invitation:
    now = store.now()
    invitation = Invitation(store.new_id(), role, "bob@example.com", now, now + timedelta(days=days))
    store.people.invite(project_id, invitation, token_hash, UUID(int=1), entry(store, "invited"))
    return invitation


def join(store: Backend, project_id: UUID, who: Identity, role: Role) -> None:
    token_hash = store.new_id().bytes * 2
    invite(store, project_id, role, token_hash)
    assert store.people.accept_invitation(token_hash, who.user_id, entry(store, "joined")) == project_id


def role_of(store: Backend, project_id: UUID, who: Identity) -> Role | None:
    return next((each.role for each in store.people.members(project_id) if each.user_id == who.user_id), None)


def actions(store: Backend, project_id: UUID) -> list[str]:
    """The audit log, oldest first."""
    return [each.action for each in store.belongings.audit_log(project_id, None, 100)][::-1]


# Memberships


@pytest.mark.parametrize("role", Role)
def test_a_member_may_do_what_their_role_allows(store: Backend, role: Role) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    join(store, project_id, bob, role)
    found = store.memberships.of_person(bob.user_id, project_id, Mode.TEST)
    assert found is not None
    assert (found.project_id, found.mode, found.limits) == (project_id, Mode.TEST, ProjectLimits())
    assert (found.actor.kind, found.actor.actor_id) == (ActorKind.USER, bob.user_id)
    assert found.permissions == OF_ROLE[role]


def test_a_member_sends_with_what_the_project_has(store: Backend) -> None:
    project, ada = store.project(), person(store)
    join(store, project.principal.project_id, ada, Role.DEVELOPER)
    found = store.memberships.of_person(ada.user_id, project.principal.project_id, Mode.LIVE)
    assert found is not None
    assert {each.integration_id: each for each in found.integrations} == {
        each.integration_id: each for each in project.principal.integrations
    }


def test_who_is_no_member_is_nobody(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    project_of(store, bob)
    assert store.memberships.of_person(bob.user_id, project_id, Mode.LIVE) is None
    assert store.memberships.of_person(ada.user_id, NOWHERE, Mode.LIVE) is None


def test_nobody_acts_in_an_archived_project(store: Backend) -> None:
    project, ada = store.project(), person(store)
    project_id = project.principal.project_id
    join(store, project_id, ada, Role.OWNER)
    assert store.people.archive_project(project_id, entry(store, "project.archived"))
    assert store.memberships.of_person(ada.user_id, project_id, Mode.LIVE) is None
    assert store.acceptances.principal(project.token_hash) is None
    archived = store.people.project(project_id)
    assert archived is not None
    assert archived.archived_at is not None


# Projects


def test_whoever_creates_a_project_owns_it(store: Backend) -> None:
    ada, project_id = person(store), store.new_id()
    made = store.people.create_project(project_id, "Acme", ada.user_id, entry(store, "project.created"))
    assert (made.project_id, made.name, made.archived_at) == (project_id, "Acme", None)
    assert made.retention_days == DEFAULT_RETENTION_DAYS
    assert store.people.project(project_id) == made
    (membership,) = store.people.projects(ada.user_id)
    assert (membership.project, membership.role) == (made, Role.OWNER)
    (member,) = store.people.members(project_id)
    assert (member.user_id, member.email, member.name) == (ada.user_id, "ada@example.com", "Ada")
    assert actions(store, project_id) == ["project.created"]


def test_the_newest_project_comes_first_and_archived_ones_are_among_them(store: Backend) -> None:
    ada = person(store)
    old, new = project_of(store, ada, "Old"), project_of(store, ada, "New")
    store.people.archive_project(old, entry(store))
    found = store.people.projects(ada.user_id)
    assert [each.project.project_id for each in found] == [new, old]
    assert [each.project.archived_at is None for each in found] == [True, False]


def test_only_what_is_asked_for_changes(store: Backend) -> None:
    project_id = project_of(store, person(store))
    renamed = store.people.change_project(project_id, ProjectChange(name="Better"), entry(store, "renamed"))
    assert renamed is not None
    assert (renamed.name, renamed.retention_days) == ("Better", DEFAULT_RETENTION_DAYS)
    kept = store.people.change_project(project_id, ProjectChange(retention_days=7), entry(store, "shortened"))
    assert kept == replace(renamed, retention_days=7) == store.people.project(project_id)
    assert actions(store, project_id) == ["project.created", "renamed", "shortened"]


def test_a_project_is_archived_once(store: Backend) -> None:
    project_id = project_of(store, person(store))
    archived = [store.people.archive_project(project_id, entry(store, "archived")) for _ in range(2)]
    assert archived == [True, False]
    assert actions(store, project_id) == ["project.created", "archived"]


def test_what_is_no_project_has_nothing(store: Backend) -> None:
    assert store.people.project(NOWHERE) is None
    assert store.people.change_project(NOWHERE, ProjectChange(name="x"), entry(store)) is None
    assert store.people.archive_project(NOWHERE, entry(store)) is False
    assert store.people.members(NOWHERE) == []


def test_a_person_who_signs_in_again_is_known_by_their_new_name(store: Backend) -> None:
    ada = person(store)
    project_id = project_of(store, ada)
    store.people.signed_in(replace(ada, email="lovelace@example.com", name="Lady Lovelace"))
    (member,) = store.people.members(project_id)
    assert (member.user_id, member.email, member.name) == (ada.user_id, "lovelace@example.com", "Lady Lovelace")


# Members


def test_the_last_owner_can_neither_be_demoted_nor_removed(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    join(store, project_id, bob, Role.ADMIN)
    with pytest.raises(ConflictError) as demoted:
        store.people.set_role(project_id, ada.user_id, Role.VIEWER, entry(store))
    with pytest.raises(ConflictError) as removed:
        store.people.remove_member(project_id, ada.user_id, entry(store))
    assert (demoted.value.code, removed.value.code) == ("last_owner", "last_owner")
    assert role_of(store, project_id, ada) is Role.OWNER
    assert store.people.set_role(project_id, ada.user_id, Role.OWNER, entry(store, "still owner"))
    assert actions(store, project_id) == ["project.created", "invited", "joined", "still owner"]


def test_one_of_two_owners_may_go(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    join(store, project_id, bob, Role.VIEWER)
    assert store.people.set_role(project_id, bob.user_id, Role.OWNER, entry(store, "promoted"))
    assert store.people.remove_member(project_id, ada.user_id, entry(store, "left"))
    assert [each.user_id for each in store.people.members(project_id)] == [bob.user_id]
    assert store.people.projects(ada.user_id) == []
    assert actions(store, project_id)[-2:] == ["promoted", "left"]


def test_nothing_is_changed_about_who_is_no_member(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id, other = project_of(store, ada), project_of(store, bob)
    assert store.people.set_role(project_id, bob.user_id, Role.VIEWER, entry(store, "no")) is False
    assert store.people.remove_member(project_id, bob.user_id, entry(store, "no")) is False
    assert role_of(store, other, bob) is Role.OWNER
    assert "no" not in actions(store, project_id)


# Invitations


def test_an_invitation_is_accepted_once(store: Backend) -> None:
    ada, bob, eve = person(store), person(store, "bob"), person(store, "eve")
    project_id = project_of(store, ada)
    invitation = invite(store, project_id, Role.DEVELOPER)
    assert store.people.invitations(project_id) == [invitation]
    assert store.people.invitation(HASH) == (project_id, invitation)
    assert store.people.accept_invitation(HASH, bob.user_id, entry(store, "joined")) == project_id
    assert store.people.accept_invitation(HASH, eve.user_id, entry(store, "joined too")) is None
    assert [role_of(store, project_id, each) for each in (bob, eve)] == [Role.DEVELOPER, None]
    assert store.people.invitations(project_id) == []
    assert store.people.invitation(HASH) is None
    assert actions(store, project_id) == ["project.created", "invited", "joined"]


def test_an_invitation_that_expired_was_revoked_or_never_made_opens_nothing(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    invite(store, project_id, Role.OWNER, b"e" * 32, days=-1)
    revoked = invite(store, project_id, Role.OWNER, b"r" * 32)
    assert store.people.revoke_invitation(project_id, revoked.invitation_id, entry(store, "revoked"))
    assert not store.people.revoke_invitation(project_id, revoked.invitation_id, entry(store, "revoked again"))
    for token_hash in (b"e" * 32, b"r" * 32, b"?" * 32):
        assert store.people.invitation(token_hash) is None
        assert store.people.accept_invitation(token_hash, bob.user_id, entry(store, "joined")) is None
    assert store.people.invitations(project_id) == []
    assert actions(store, project_id)[-1] == "revoked"


def test_an_invitation_into_an_archived_project_opens_nothing(store: Backend) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    invite(store, project_id, Role.OWNER)
    store.people.archive_project(project_id, entry(store))
    assert store.people.invitation(HASH) is None
    assert store.people.accept_invitation(HASH, bob.user_id, entry(store)) is None


def test_another_projects_invitation_is_not_revoked(store: Backend) -> None:
    ada = person(store)
    ours, theirs = project_of(store, ada), project_of(store, person(store, "bob"))
    invitation = invite(store, theirs, Role.VIEWER)
    assert store.people.revoke_invitation(ours, invitation.invitation_id, entry(store)) is False
    assert store.people.invitations(theirs) == [invitation]


@pytest.mark.parametrize(
    ("before", "invited", "after"),
    [
        (Role.ADMIN, Role.VIEWER, Role.ADMIN),
        (Role.VIEWER, Role.ADMIN, Role.ADMIN),
        (Role.OWNER, Role.OWNER, Role.OWNER),
    ],
)
def test_a_member_who_accepts_keeps_the_higher_role(store: Backend, before: Role, invited: Role, after: Role) -> None:
    ada, bob = person(store), person(store, "bob")
    project_id = project_of(store, ada)
    join(store, project_id, bob, before)
    invite(store, project_id, invited)
    assert store.people.accept_invitation(HASH, bob.user_id, entry(store)) == project_id
    assert role_of(store, project_id, bob) is after
    assert store.people.invitation(HASH) is None
