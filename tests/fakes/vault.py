"""The vault function in memory: what it was asked to seal, and what a provider says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.ports.accounts import CheckedCredential

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.errors import NofyError
    from nofy.domain.routing import Channel


class MemoryVault:
    """Implements :class:`nofy.ports.accounts.CredentialSealer`. ``error`` is raised instead, if there is one."""

    def __init__(self) -> None:
        self.asked: list[tuple[UUID, UUID, Channel, dict[str, Any], str]] = []
        self.error: NofyError | None = None

    def check_and_seal(
        self, project_id: UUID, integration_id: UUID, channel: Channel, settings: dict[str, Any], credential: str
    ) -> CheckedCredential:
        self.asked.append((project_id, integration_id, channel, settings, credential))
        if self.error:
            raise self.error
        return CheckedCredential(f"sealed for {integration_id}".encode(), f"…{credential[-4:]}", {"account": "Acme"})
