"""API tokens: shown once, never worth more than whoever made them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nofy.administration.bounds import MOST
from nofy.administration.tokens import Tokens, Wanted
from nofy.domain import tokens as shapes
from nofy.domain.errors import ConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from nofy.domain.permissions import Role, Scope
from nofy.domain.tokens import Mode

if TYPE_CHECKING:
    from tests.unit.administration.conftest import Office

SENDING = Wanted("CI", Mode.LIVE, (Scope.SEND,))


@pytest.fixture
def tokens(office: Office) -> Tokens:
    return Tokens(office.accounts, office.announced.append, random.Random(5).choice)


def test_a_new_token_opens_what_it_is_for_and_nothing_else(office: Office, tokens: Tokens):
    token, secret = tokens.create(office.principal(), SENDING, office.occasion())
    holder = office.store.principal(shapes.digest(secret))
    assert holder is not None
    assert (holder.project_id, holder.mode, holder.actor.actor_id) == (office.project_id, Mode.LIVE, token.token_id)
    assert {each.value for each in holder.permissions} == {"notifications:send", "notifications:amend"}
    assert office.announced == [office.project_id]


def test_its_secret_is_told_to_nobody_else(office: Office, tokens: Tokens):
    token, secret = tokens.create(office.principal(), SENDING, office.occasion())
    assert token.hint == shapes.hint(secret)
    assert secret not in repr([token, tokens.of(office.project_id), office.log()])
    assert office.log()[0][::2] == ("token.created", {"name": "CI", "mode": "live", "scopes": ["send"]})


def test_two_stand_side_by_side_while_one_replaces_the_other(office: Office, tokens: Tokens):
    old, old_secret = tokens.create(office.principal(), SENDING, office.occasion())
    _, new_secret = tokens.create(office.principal(), SENDING, office.occasion())
    assert office.store.principal(shapes.digest(old_secret))
    tokens.revoke(office.project_id, old.token_id, office.occasion())
    assert office.store.principal(shapes.digest(old_secret)) is None
    assert office.store.principal(shapes.digest(new_secret))
    assert office.announced == [office.project_id] * 3
    assert office.log()[0][0] == "token.revoked"


def test_a_project_has_so_many_and_no_more(office: Office, tokens: Tokens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(MOST, "tokens", 1)
    token, _ = tokens.create(office.principal(), SENDING, office.occasion())
    with pytest.raises(ConflictError) as refused:
        tokens.create(office.principal(), SENDING, office.occasion())
    assert refused.value.code == "too_many_tokens"
    tokens.revoke(office.project_id, token.token_id, office.occasion())
    tokens.create(office.principal(), SENDING, office.occasion())


def test_a_revoked_one_is_revoked_once(office: Office, tokens: Tokens):
    token, _ = tokens.create(office.principal(), SENDING, office.occasion())
    tokens.revoke(office.project_id, token.token_id, office.occasion())
    with pytest.raises(NotFoundError):
        tokens.revoke(office.project_id, token.token_id, office.occasion())
    (shown,) = tokens.of(office.project_id)
    assert shown.revoked_at == office.clock() - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("role", "scopes", "missing"),
    [
        (Role.DEVELOPER, (Scope.MANAGE,), "audit:read"),
        (Role.DEVELOPER, (Scope.SEND, Scope.MANAGE), "audit:read"),
        (Role.VIEWER, (Scope.SEND,), "notifications:amend"),
    ],
)
def test_nobody_makes_a_token_that_may_do_more_than_they_may(
    office: Office, tokens: Tokens, role: Role, scopes: tuple[Scope, ...], missing: str
):
    somebody = office.join("dora", role)
    with pytest.raises(ForbiddenError) as refused:
        tokens.create(somebody, Wanted("x", Mode.TEST, scopes), office.occasion())
    assert refused.value.permission == missing
    assert tokens.of(office.project_id) == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_who_manages_makes_tokens_that_manage(office: Office, tokens: Tokens, role: Role):
    everything = Wanted("x", Mode.TEST, tuple(Scope))
    assert tokens.create(office.join("ada", role), everything, office.occasion())[0].scopes == tuple(Scope)


def test_a_token_ends_when_it_was_to_end(office: Office, tokens: Tokens):
    ends = office.clock() + timedelta(minutes=5)
    _, secret = tokens.create(office.principal(), Wanted("x", Mode.LIVE, (Scope.READ,), ends), office.occasion())
    assert office.store.principal(shapes.digest(secret))
    office.clock.advance(300)
    assert office.store.principal(shapes.digest(secret)) is None


def test_a_token_that_has_ended_already_is_not_made(office: Office, tokens: Tokens):
    with pytest.raises(InvalidRequestError) as refused:
        tokens.create(office.principal(), Wanted("x", Mode.LIVE, (Scope.READ,), office.clock()), office.occasion())
    assert refused.value.errors[0].path == "/expires_at"
