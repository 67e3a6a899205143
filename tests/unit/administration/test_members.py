"""Members and invitations: nobody gives what they have not, and a link lets one person in, once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nofy.administration.bounds import MOST
from nofy.administration.members import Invitations, Members
from nofy.domain import invitations as links
from nofy.domain.errors import ConflictError, ForbiddenError, InvitationForAnotherError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Permission, Role
from tests.unit.administration.conftest import OWNER, person

if TYPE_CHECKING:
    from tests.unit.administration.conftest import Office


@pytest.fixture
def members(office: Office) -> Members:
    return Members(office.accounts, office.announced.append)


@pytest.fixture
def invitations(office: Office) -> Invitations:
    return Invitations(office.accounts, office.announced.append, random.Random(5).choice)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
def test_an_admin_gives_every_role_but_the_owners(office: Office, members: Members, role: Role):
    admin, other = office.join("ada", Role.ADMIN), office.join("bob", Role.VIEWER)
    changed = members.change_role(admin, other.actor.actor_id, role, office.occasion())
    assert changed.role is office.role(other) is role
    assert office.announced == [office.project_id]
    target, details = encode(Prefix.USER, other.actor.actor_id), {"from": "viewer", "to": role.value}
    assert office.log()[0] == ("member.role_changed", target, details)


def test_owners_alone_make_owners_and_unmake_them(office: Office, members: Members):
    admin, other = office.join("ada", Role.ADMIN), office.join("bob", Role.VIEWER)
    for whom, role in ((other, Role.OWNER), (admin, Role.OWNER), (office.principal(), Role.VIEWER)):
        with pytest.raises(ForbiddenError) as refused:
            members.change_role(admin, whom.actor.actor_id, role, office.occasion())
        assert refused.value.permission == Permission.OWNERS_MANAGE
    with pytest.raises(ForbiddenError):
        members.remove(admin, OWNER.user_id, office.occasion())
    assert not office.announced
    members.change_role(office.principal(), other.actor.actor_id, Role.OWNER, office.occasion())
    members.change_role(office.principal(), other.actor.actor_id, Role.VIEWER, office.occasion())
    assert office.role(other) is Role.VIEWER


def test_the_last_owner_stays(office: Office, members: Members):
    owner = office.principal()
    with pytest.raises(ConflictError, match="owner"):
        members.leave(owner, office.occasion())
    with pytest.raises(ConflictError, match="owner"):
        members.change_role(owner, OWNER.user_id, Role.VIEWER, office.occasion())
    assert office.role(owner) is Role.OWNER
    assert not office.announced


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
def test_anybody_else_may_leave(office: Office, members: Members, role: Role):
    leaver = office.join("bob", role)
    members.leave(leaver, office.occasion())
    assert office.role(leaver) is None
    assert office.announced == [office.project_id]
    assert office.log()[0][0] == "member.left"


def test_who_is_removed_is_gone_and_it_is_noted(office: Office, members: Members):
    admin, other = office.join("ada", Role.ADMIN), office.join("bob", Role.VIEWER)
    members.remove(admin, other.actor.actor_id, office.occasion())
    assert office.role(other) is None
    assert office.log()[0][::2] == ("member.removed", {"role": "viewer"})
    with pytest.raises(NotFoundError):
        members.remove(admin, other.actor.actor_id, office.occasion())


def test_another_projects_member_is_nobody_here(office: Office, members: Members):
    stranger = person("sam")
    office.found("Other", stranger)
    office.announced.clear()
    with pytest.raises(NotFoundError):
        members.change_role(office.principal(), stranger.user_id, Role.VIEWER, office.occasion())
    with pytest.raises(NotFoundError):
        members.remove(office.principal(), stranger.user_id, office.occasion())
    assert not office.announced


def test_a_link_lets_somebody_in_once(office: Office, invitations: Invitations):
    invitation, token = invitations.invite(office.principal(), Role.DEVELOPER, None, office.occasion())
    assert invitations.of(office.project_id) == [invitation]
    joined = invitations.accept(person("dora"), token, office.occasion())
    assert (joined.project.project_id, joined.role) == (office.project_id, Role.DEVELOPER)
    assert office.announced == [office.project_id]
    assert [each[0] for each in office.log()[:2]] == ["invitation.accepted", "invitation.created"]
    with pytest.raises(NotFoundError):
        invitations.accept(person("eve"), token, office.occasion())


def test_its_token_is_kept_as_a_hash_and_told_nowhere(office: Office, invitations: Invitations):
    invitation, token = invitations.invite(office.principal(), Role.VIEWER, "dora@example.com", office.occasion())
    (row,) = office.store.tables.invitations.values()
    assert row.token_hash == links.digest(token)
    assert token not in repr([row, office.log(), invitation])
    assert "dora" not in repr(office.log())


def test_it_is_open_for_a_week(office: Office, invitations: Invitations):
    invitation, token = invitations.invite(office.principal(), Role.VIEWER, None, office.occasion())
    assert invitation.expires_at == invitation.created_at + timedelta(days=7)
    office.clock.advance(7 * 24 * 3600)
    with pytest.raises(NotFoundError):
        invitations.accept(person("dora"), token, office.occasion())


def test_a_revoked_one_lets_nobody_in(office: Office, invitations: Invitations):
    invitation, token = invitations.invite(office.principal(), Role.VIEWER, None, office.occasion())
    invitations.revoke(office.project_id, invitation.invitation_id, office.occasion())
    with pytest.raises(NotFoundError):
        invitations.accept(person("dora"), token, office.occasion())
    with pytest.raises(NotFoundError):
        invitations.revoke(office.project_id, invitation.invitation_id, office.occasion())


def test_one_with_an_address_is_for_whoever_has_proved_it_to_be_theirs(office: Office, invitations: Invitations):
    _, token = invitations.invite(office.principal(), Role.ADMIN, "Dora@Example.com", office.occasion())
    for other in (person("eve"), person("dora", verified=False)):
        with pytest.raises(InvitationForAnotherError):
            invitations.accept(other, token, office.occasion())
    assert (
        invitations.accept(replace(person("x"), email="dora@example.COM"), token, office.occasion()).role is Role.ADMIN
    )


@pytest.mark.parametrize("lookalike", ["wei\u00df@example.com", "\u017fam@example.com", "\u212aim@example.com"])
def test_letters_that_unicode_takes_for_the_same_make_another_mailbox(
    office: Office, invitations: Invitations, lookalike: str
):
    invited = lookalike.casefold()
    _, token = invitations.invite(office.principal(), Role.ADMIN, invited, office.occasion())
    with pytest.raises(InvitationForAnotherError):
        invitations.accept(replace(person("eve"), email=lookalike), token, office.occasion())


def test_nobody_invites_to_more_than_they_are(office: Office, invitations: Invitations):
    admin = office.join("ada", Role.ADMIN)
    with pytest.raises(ForbiddenError) as refused:
        invitations.invite(admin, Role.OWNER, None, office.occasion())
    assert refused.value.permission == Permission.OWNERS_MANAGE
    assert invitations.invite(admin, Role.ADMIN, None, office.occasion())[0].role is Role.ADMIN
    assert invitations.invite(office.principal(), Role.OWNER, None, office.occasion())[0].role is Role.OWNER


def test_so_many_invitations_are_open_and_no_more(
    office: Office, invitations: Invitations, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MOST, "invitations", 1)
    invitations.invite(office.principal(), Role.VIEWER, None, office.occasion())
    with pytest.raises(ConflictError) as refused:
        invitations.invite(office.principal(), Role.VIEWER, None, office.occasion())
    assert refused.value.code == "too_many_invitations"


def test_accepting_takes_nothing_away(office: Office, invitations: Invitations):
    _, token = invitations.invite(office.principal(), Role.VIEWER, None, office.occasion())
    assert invitations.accept(OWNER, token, office.occasion()).role is Role.OWNER


@pytest.mark.parametrize("junk", ["", "nofyinv_", "nofyinv_" + "x" * 42, "nofyinv_" + "-" * 43, "x" * 51])
def test_junk_is_refused_without_asking(office: Office, invitations: Invitations, junk: str):
    office.accounts.invitation = None  # type: ignore[assignment,method-assign]  # asking would fail
    with pytest.raises(NotFoundError):
        invitations.accept(OWNER, junk, office.occasion())


def test_a_tokens_256_bits_stand_behind_the_hash_of_the_link():
    token = links.generate(random.Random(1).choice)
    assert links.well_formed(token)
    assert 62**43 > 2**256
    assert links.link("https://console.example/", token) == f"https://console.example/invitations#{token}"
