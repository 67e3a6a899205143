"""Integrations: what a provider refused is not saved, and a credential is never seen again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nofy.administration.bounds import MOST
from nofy.administration.integrations import Changed, Integrations, New
from nofy.domain.errors import (
    ConflictError,
    CredentialRefusedError,
    InvalidRequestError,
    NotFoundError,
    ProviderUnavailableError,
)
from nofy.domain.routing import Channel, Provider
from tests.fakes.vault import MemoryVault

if TYPE_CHECKING:
    from tests.unit.administration.conftest import Office

BOT = New(Channel.SLACK, "Team", {"kind": "bot"}, "xoxb-secret-1234")


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
def integrations(office: Office, vault: MemoryVault) -> Integrations:
    return Integrations(office.accounts, vault, office.announced.append)


def test_a_credential_is_sealed_for_the_integration_that_is_made(
    office: Office, vault: MemoryVault, integrations: Integrations
):
    made = integrations.create(office.project_id, BOT, office.occasion())
    assert (made.provider, made.hint, made.checked) == (Provider.SLACK, "…1234", {"account": "Acme"})
    assert [each[:3] for each in vault.asked] == [(office.project_id, made.integration_id, Channel.SLACK)]
    row = office.store.tables.integrations[made.integration_id]
    assert row.credential == f"sealed for {made.integration_id}".encode()
    assert "xoxb" not in repr([row, made, office.log()])
    assert office.announced == [office.project_id]
    assert office.log()[0][::2] == ("integration.created", {"channel": "slack", "name": "Team"})


def test_what_its_provider_refuses_is_not_saved(office: Office, vault: MemoryVault, integrations: Integrations):
    vault.error = CredentialRefusedError("slack says: invalid_auth")
    with pytest.raises(InvalidRequestError) as refused:
        integrations.create(office.project_id, BOT, office.occasion())
    (error,) = refused.value.errors
    assert (error.path, error.code, error.message) == ("/credential", "refused", "slack says: invalid_auth")
    assert integrations.of(office.project_id) == []
    assert not office.announced


def test_nor_what_its_provider_cannot_be_asked_about(office: Office, vault: MemoryVault, integrations: Integrations):
    vault.error = ProviderUnavailableError("no answer")
    with pytest.raises(ProviderUnavailableError):
        integrations.create(office.project_id, BOT, office.occasion())
    assert integrations.of(office.project_id) == []


def test_another_name_keeps_the_credential_as_it_is(office: Office, vault: MemoryVault, integrations: Integrations):
    made = integrations.create(office.project_id, BOT, office.occasion())
    changed = integrations.change(office.project_id, made.integration_id, Changed(name="Ops"), office.occasion())
    assert (changed.name, changed.hint, changed.credential_version) == ("Ops", "…1234", 1)
    assert (changed.settings, changed.checked) == (made.settings, made.checked)
    assert len(vault.asked) == 1
    assert office.log()[0][::2] == ("integration.changed", {"changed": ["name"]})


def test_another_credential_is_checked_with_the_settings_it_will_be_used_with(
    office: Office, vault: MemoryVault, integrations: Integrations
):
    made = integrations.create(office.project_id, BOT, office.occasion())
    wanted = Changed(settings={"kind": "webhook"}, credential="https://hooks.slack.com/services/T/B/9876")
    changed = integrations.change(office.project_id, made.integration_id, wanted, office.occasion())
    assert (changed.hint, changed.credential_version, changed.settings) == ("…9876", 2, {"kind": "webhook"})
    assert vault.asked[-1][3:] == ({"kind": "webhook"}, "https://hooks.slack.com/services/T/B/9876")
    assert "hooks" not in repr(office.log())


def test_a_refused_credential_leaves_the_old_one_at_work(
    office: Office, vault: MemoryVault, integrations: Integrations
):
    made = integrations.create(office.project_id, BOT, office.occasion())
    vault.error = CredentialRefusedError("invalid_auth")
    with pytest.raises(InvalidRequestError):
        integrations.change(office.project_id, made.integration_id, Changed(credential="xoxb-2"), office.occasion())
    assert integrations.show(office.project_id, made.integration_id) == made


def test_another_kind_needs_another_credential(office: Office, integrations: Integrations):
    made = integrations.create(office.project_id, BOT, office.occasion())
    wanted = Changed(settings={"kind": "webhook"})
    with pytest.raises(InvalidRequestError) as refused:
        integrations.change(office.project_id, made.integration_id, wanted, office.occasion())
    assert refused.value.errors[0].path == "/credential"


def test_one_of_several_is_the_default(office: Office, integrations: Integrations):
    first = integrations.create(office.project_id, BOT, office.occasion())
    second = integrations.create(office.project_id, BOT, office.occasion())
    assert (first.is_default, second.is_default) == (True, False)
    integrations.change(office.project_id, second.integration_id, Changed(default=True), office.occasion())
    assert [each.is_default for each in integrations.of(office.project_id)] == [False, True]
    assert office.log()[0][2] == {"changed": ["default"]}


def test_a_project_has_so_many_and_no_provider_is_asked_for_more(
    office: Office, vault: MemoryVault, integrations: Integrations, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MOST, "integrations", 1)
    integrations.create(office.project_id, BOT, office.occasion())
    with pytest.raises(ConflictError) as refused:
        integrations.create(office.project_id, BOT, office.occasion())
    assert (refused.value.code, len(vault.asked)) == ("too_many_integrations", 1)


def test_a_removed_one_is_gone(office: Office, integrations: Integrations):
    made = integrations.create(office.project_id, BOT, office.occasion())
    office.announced.clear()
    integrations.remove(office.project_id, made.integration_id, office.occasion())
    assert integrations.of(office.project_id) == []
    assert office.announced == [office.project_id]
    with pytest.raises(NotFoundError):
        integrations.remove(office.project_id, made.integration_id, office.occasion())


def test_another_projects_integration_is_none_of_theirs(office: Office, integrations: Integrations):
    made = integrations.create(office.project_id, BOT, office.occasion())
    elsewhere = office.found("Other")
    with pytest.raises(NotFoundError):
        integrations.show(elsewhere, made.integration_id)
    with pytest.raises(NotFoundError):
        integrations.change(elsewhere, made.integration_id, Changed(name="mine"), office.occasion())
    with pytest.raises(NotFoundError):
        integrations.remove(elsewhere, made.integration_id, office.occasion())
