"""Integrations: a provider's credential, checked and sealed before it is stored, and never seen again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.administration.bounds import refuse_beyond
from nofy.domain.accounts import SealedIntegration
from nofy.domain.errors import CredentialRefusedError, FieldError, InvalidRequestError, NotFoundError
from nofy.domain.ids import Prefix, encode
from nofy.domain.routing import PROVIDER_OF

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.administration.occasion import Announce, Occasion
    from nofy.domain.accounts import IntegrationView
    from nofy.domain.routing import Channel
    from nofy.ports.accounts import Belongings, CheckedCredential, CredentialSealer


@dataclass(frozen=True, slots=True)
class New:
    """An integration that somebody asks for. Its settings are known to be sound."""

    channel: Channel
    name: str
    settings: dict[str, Any]
    credential: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """What of an integration is to be another; None stays as it is."""

    name: str | None = None
    settings: dict[str, Any] | None = None
    credential: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Integrations:
    """A project's ways to providers. Nothing is saved that its provider refused, or could not be asked about.

    Raises InvalidRequestError for a credential its provider refuses, ProviderUnavailableError where it cannot tell.
    """

    belongings: Belongings
    sealer: CredentialSealer
    announce: Announce

    def of(self, project_id: UUID) -> list[IntegrationView]:
        return self.belongings.integrations(project_id)

    def show(self, project_id: UUID, integration_id: UUID) -> IntegrationView:
        found = self.belongings.integration(project_id, integration_id)
        if found is None:
            raise NotFoundError(str(integration_id))
        return found

    def create(self, project_id: UUID, new: New, occasion: Occasion) -> IntegrationView:
        refuse_beyond("integrations", len(self.of(project_id)))
        # (the id comes first: the credential is sealed for it and for no other)
        integration_id = occasion.new_id()
        checked = self._checked(project_id, integration_id, new.channel, new.settings, new.credential)
        sealed = SealedIntegration(
            integration_id,
            new.channel,
            PROVIDER_OF[new.channel],
            new.name,
            new.settings,
            checked.ciphertext,
            checked.hint,
            checked.details,
        )
        entry = occasion.entry("integration.created", _named(integration_id), channel=new.channel.value, name=new.name)
        created = self.belongings.create_integration(project_id, sealed, entry, default=new.default)
        self.announce(project_id)
        return created

    def change(self, project_id: UUID, integration_id: UUID, changed: Changed, occasion: Occasion) -> IntegrationView:
        """Without a credential the one that is there stays sealed as it is, and so it stays unchecked."""
        before = self.show(project_id, integration_id)
        sealed = self._changed(project_id, before, changed)
        entry = occasion.entry("integration.changed", _named(integration_id), changed=_what(changed))
        after = self.belongings.change_integration(project_id, sealed, entry, default=changed.default)
        if after is None:
            raise NotFoundError(str(integration_id))
        self.announce(project_id)
        return after

    def remove(self, project_id: UUID, integration_id: UUID, occasion: Occasion) -> None:
        """Raises ConflictError while something is to be sent with it."""
        before = self.show(project_id, integration_id)
        named = {"channel": before.channel.value, "name": before.name}
        entry = occasion.entry("integration.removed", _named(integration_id), **named)
        if not self.belongings.remove_integration(project_id, integration_id, entry):
            raise NotFoundError(str(integration_id))
        self.announce(project_id)

    def _changed(self, project_id: UUID, before: IntegrationView, changed: Changed) -> SealedIntegration:
        settings = before.settings if changed.settings is None else changed.settings
        checked = None
        if changed.credential is not None:
            checked = self._checked(project_id, before.integration_id, before.channel, settings, changed.credential)
        elif settings.get("kind") != before.settings.get("kind"):
            message = "another kind of integration needs another credential"
            raise InvalidRequestError([FieldError("/credential", "required", message)])
        return SealedIntegration(
            before.integration_id,
            before.channel,
            before.provider,
            before.name if changed.name is None else changed.name,
            settings,
            checked.ciphertext if checked else None,
            checked.hint if checked else before.hint,
            checked.details if checked else before.checked,
        )

    def _checked(
        self, project_id: UUID, integration_id: UUID, channel: Channel, settings: dict[str, Any], credential: str
    ) -> CheckedCredential:
        try:
            return self.sealer.check_and_seal(project_id, integration_id, channel, settings, credential)
        except CredentialRefusedError as error:
            raise InvalidRequestError([FieldError("/credential", "refused", str(error))]) from error


def _named(integration_id: UUID) -> str:
    return encode(Prefix.INTEGRATION, integration_id)


def _what(changed: Changed) -> list[str]:
    """The names of what was changed: neither settings nor credentials belong into the log."""
    given = {"name": changed.name, "settings": changed.settings, "credential": changed.credential}
    return [name for name, value in given.items() if value is not None] + ["default"] * changed.default
