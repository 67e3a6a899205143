"""What a project has: tokens, integrations, and the log of who did what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from nofy.domain.accounts import Actor, ActorKind, ApiToken, AuditEntry, IntegrationView, SealedIntegration
from nofy.domain.errors import ConflictError
from nofy.domain.outcomes import Accepted
from nofy.domain.permissions import Scope, of_scopes
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.domain.tokens import Mode
from tests.contract.stores import Backend
from tests.contract.stories import accepted, lease
from tests.contract.test_accounts import NOWHERE, actions, entry, person, project_of

HASH = b"h" * 32


def empty(store: Backend) -> UUID:
    """A project with nothing in it."""
    return project_of(store, person(store))


# Tokens


def make_token(store: Backend, project_id: UUID, token_hash: bytes = HASH, **more: Any) -> ApiToken:
    like = ApiToken(store.new_id(), "server", Mode.TEST, (Scope.SEND, Scope.READ), "nofy_test_abcd…1234", store.now())
    token = replace(like, **more)
    store.belongings.create_token(project_id, token, token_hash, entry(store, "token.created"))
    return token


def test_a_token_may_do_what_its_scopes_allow(store: Backend) -> None:
    project_id = empty(store)
    token = make_token(store, project_id)
    found = store.acceptances.principal(HASH)
    assert found is not None
    assert (found.project_id, found.mode) == (project_id, Mode.TEST)
    assert found.actor == Actor(ActorKind.TOKEN, token.token_id, "server")
    assert found.permissions == of_scopes((Scope.SEND, Scope.READ))


def test_a_token_shows_when_it_was_used(store: Backend) -> None:
    project_id = empty(store)
    token = make_token(store, project_id)
    assert store.belongings.tokens(project_id) == [token]
    store.acceptances.principal(HASH)
    (used,) = store.belongings.tokens(project_id)
    assert used.last_used_at is not None
    assert abs(used.last_used_at - store.now()) < timedelta(seconds=30)
    assert replace(used, last_used_at=None) == token


def test_several_tokens_are_good_at_once_and_the_newest_comes_first(store: Backend) -> None:
    project_id = empty(store)
    old, new = make_token(store, project_id), make_token(store, project_id, b"n" * 32)
    assert [each.token_id for each in store.belongings.tokens(project_id)] == [new.token_id, old.token_id]
    assert store.acceptances.principal(HASH)
    assert store.acceptances.principal(b"n" * 32)


def test_a_token_ends_at_its_time(store: Backend) -> None:
    project_id, now = empty(store), store.now()
    make_token(store, project_id, b"a" * 32, expires_at=now + timedelta(hours=1))
    make_token(store, project_id, b"b" * 32, expires_at=now - timedelta(seconds=1))
    assert store.acceptances.principal(b"a" * 32) is not None
    assert store.acceptances.principal(b"b" * 32) is None


def test_a_revoked_token_is_shown_for_thirty_days(store: Backend) -> None:
    project_id = empty(store)
    token = make_token(store, project_id)
    revoked = [store.belongings.revoke_token(project_id, token.token_id, entry(store, "revoked")) for _ in range(2)]
    assert revoked == [True, False]
    assert store.acceptances.principal(HASH) is None
    (shown,) = store.belongings.tokens(project_id)
    assert shown.revoked_at is not None
    store.let_pass(30 * 24 * 3600 + 1)
    assert store.belongings.tokens(project_id) == []
    assert actions(store, project_id) == ["project.created", "token.created", "revoked"]


def test_another_projects_token_is_not_revoked(store: Backend) -> None:
    ours, theirs = empty(store), empty(store)
    token = make_token(store, theirs)
    assert store.belongings.revoke_token(ours, token.token_id, entry(store)) is False
    assert store.belongings.tokens(ours) == []
    assert store.acceptances.principal(HASH) is not None


# Integrations


def sealed(store: Backend, channel: Channel = Channel.EMAIL, **more: Any) -> SealedIntegration:
    settings = {"sender": {"email": "a@example.com"}}
    provider = PROVIDER_OF[channel]
    like = SealedIntegration(store.new_id(), channel, provider, "Main", settings, b"sealed", "…1234", {"team": "T1"})
    return replace(like, **more)


def create(store: Backend, project_id: UUID, *, default: bool = False, **more: Any) -> IntegrationView:
    made = entry(store, "integration.created")
    return store.belongings.create_integration(project_id, sealed(store, **more), made, default=default)


def defaults(store: Backend, project_id: UUID) -> list[UUID]:
    return [each.integration_id for each in store.belongings.integrations(project_id) if each.is_default]


def test_an_integration_is_shown_without_its_credential(store: Backend) -> None:
    project_id, wanted = empty(store), sealed(store)
    made = store.belongings.create_integration(project_id, wanted, entry(store, "integration.created"), default=False)
    assert (made.integration_id, made.channel, made.provider) == (
        wanted.integration_id,
        wanted.channel,
        wanted.provider,
    )
    assert (made.name, made.settings, made.hint, made.checked) == ("Main", wanted.settings, "…1234", {"team": "T1"})
    assert (made.held, made.credential_version) == (False, 1)
    assert store.belongings.integrations(project_id) == [made]
    assert store.belongings.integration(project_id, made.integration_id) == made
    assert actions(store, project_id) == ["project.created", "integration.created"]


def test_the_first_of_a_channel_is_its_default_one(store: Backend) -> None:
    project_id = empty(store)
    first = create(store, project_id)
    second = create(store, project_id)
    other_channel = create(store, project_id, channel=Channel.WHATSAPP)
    assert (first.is_default, second.is_default, other_channel.is_default) == (True, False, True)
    third = create(store, project_id, default=True)
    assert third.is_default
    assert defaults(store, project_id) == [other_channel.integration_id, third.integration_id]


def test_another_one_becomes_the_default_when_it_is_told_to(store: Backend) -> None:
    project_id = empty(store)
    first, second = create(store, project_id), create(store, project_id)
    again = sealed(store, integration_id=second.integration_id, name="Spare", credential=None)
    changed = store.belongings.change_integration(project_id, again, entry(store, "changed"), default=True)
    assert changed is not None
    assert (changed.name, changed.is_default, changed.credential_version) == ("Spare", True, 1)
    assert defaults(store, project_id) == [second.integration_id]
    kept = store.belongings.change_integration(project_id, again, entry(store), default=False)
    assert kept is not None
    assert kept.is_default
    assert store.belongings.integration(project_id, first.integration_id) == replace(first, is_default=False)


def test_another_credential_is_another_version_and_releases_what_waits(store: Backend) -> None:
    told = accepted(store).lease()
    told.refuse_credential()
    project_id, integration_id = told.project.principal.project_id, told.project.integration()
    held = store.belongings.integration(project_id, integration_id)
    assert held is not None
    assert held.held
    again = sealed(store, Channel.SLACK, integration_id=integration_id, credential=b"sealed anew")
    mended = store.belongings.change_integration(project_id, again, entry(store), default=False)
    assert mended is not None
    assert (mended.held, mended.credential_version) == (False, 2)
    assert [each.delivery_id for each in store.upkeep.release_held(10)] == [told.id]
    (leased,) = lease(store, told.current)
    assert (leased.credential, leased.credential_version) == (b"sealed anew", 2)


def test_what_is_not_the_projects_is_neither_seen_nor_changed(store: Backend) -> None:
    ours, theirs = empty(store), empty(store)
    foreign = create(store, theirs)
    again = sealed(store, integration_id=foreign.integration_id, name="Taken", credential=b"taken")
    assert store.belongings.integration(ours, foreign.integration_id) is None
    assert store.belongings.change_integration(ours, again, entry(store, "no"), default=True) is None
    assert store.belongings.remove_integration(ours, foreign.integration_id, entry(store, "no")) is False
    assert store.belongings.integrations(theirs) == [foreign]
    assert "no" not in actions(store, ours)


def test_an_integration_keeps_its_channel(store: Backend) -> None:
    project_id = empty(store)
    email = create(store, project_id)
    as_slack = sealed(store, Channel.SLACK, integration_id=email.integration_id)
    assert store.belongings.change_integration(project_id, as_slack, entry(store), default=True) is None
    assert store.belongings.integrations(project_id) == [email]


def test_the_oldest_of_its_channel_takes_the_place_of_a_default_one_that_is_removed(store: Backend) -> None:
    project_id = empty(store)
    first, second, third = (create(store, project_id) for _ in range(3))
    elsewhere = create(store, project_id, channel=Channel.WHATSAPP)
    assert store.belongings.remove_integration(project_id, first.integration_id, entry(store, "removed"))
    assert defaults(store, project_id) == [second.integration_id, elsewhere.integration_id]
    assert store.belongings.remove_integration(project_id, third.integration_id, entry(store))
    assert store.belongings.remove_integration(project_id, second.integration_id, entry(store))
    assert defaults(store, project_id) == [elsewhere.integration_id]
    assert create(store, project_id).is_default
    assert not store.belongings.remove_integration(project_id, first.integration_id, entry(store, "removed again"))
    assert store.belongings.integration(project_id, first.integration_id) is None
    assert "removed again" not in actions(store, project_id)


def test_nothing_is_sent_with_what_was_removed(store: Backend) -> None:
    project = store.project()
    project_id = project.principal.project_id
    assert store.belongings.remove_integration(project_id, project.integration(), entry(store))
    found = store.acceptances.principal(project.token_hash)
    assert found is not None
    assert found.integration_for(Channel.SLACK) is None
    assert found.integration_for(Channel.EMAIL) is not None


@pytest.mark.parametrize("waiting", ["scheduled", "queued", "sending", "held"])
def test_an_integration_stays_while_something_is_to_be_sent_with_it(store: Backend, waiting: str) -> None:
    told = accepted(store)
    if waiting == "queued":
        told.queue()
    if waiting == "sending":
        told.lease()
    if waiting == "held":
        store.dispatches.hold([told.fence])
    assert told.status == waiting
    project_id, integration_id = told.project.principal.project_id, told.project.integration()
    with pytest.raises(ConflictError) as refused:
        store.belongings.remove_integration(project_id, integration_id, entry(store, "removed"))
    assert refused.value.code == "deliveries_waiting"
    assert store.belongings.integration(project_id, integration_id) is not None
    assert actions(store, project_id) == []


def test_an_integration_goes_when_everything_was_sent_and_its_deliveries_stay(store: Backend) -> None:
    told = accepted(store).lease()
    assert told.settle(told.report(Accepted("message-1")))
    project_id, integration_id = told.project.principal.project_id, told.project.integration()
    assert store.belongings.remove_integration(project_id, integration_id, entry(store))
    assert told.view.provider_message_id == "message-1"


# The audit log


def test_the_audit_log_is_read_newest_first_and_page_by_page(store: Backend) -> None:
    project_id = empty(store)
    noted = [entry(store, f"step {number}", number=number) for number in range(4)]
    for each in noted:
        store.belongings.note(project_id, each)
    page = store.belongings.audit_log(project_id, None, 3)
    assert page == noted[:0:-1]
    rest = store.belongings.audit_log(project_id, page[-1].entry_id, 3)
    assert [each.action for each in rest] == ["step 0", "project.created"]


def test_an_entry_says_who_did_what_to_what_and_when(store: Backend) -> None:
    project_id = empty(store)
    actor = Actor(ActorKind.TOKEN, UUID(int=9), "server")
    details = {"destination": None, "ключ": ["ä", 1]}
    noted = AuditEntry(store.new_id(), store.now(), actor, "redriven", "dlt_x", details, "req-2")
    store.belongings.note(project_id, noted)
    assert store.belongings.audit_log(project_id, None, 1) == [noted]


def test_nobody_reads_another_projects_log(store: Backend) -> None:
    ours, theirs = empty(store), empty(store)
    store.belongings.note(theirs, entry(store, "secret"))
    assert actions(store, ours) == ["project.created"]
    assert store.belongings.audit_log(NOWHERE, None, 10) == []
