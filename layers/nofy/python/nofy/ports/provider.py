"""A provider's API, and the vault that opens what it is called with. Only senders use these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nofy.domain.outcomes import Outcome
    from nofy.domain.sending import Message, SealedCredential


class ProviderClient(Protocol):
    """Makes one call for one message. Whatever happens to it is an outcome, and nothing is raised."""

    async def call(self, message: Message, credential: str) -> Outcome: ...


class Vault(Protocol):
    """Opens sealed credentials; refuses a ciphertext that was sealed for another project or integration."""

    async def open(self, sealed: SealedCredential) -> str: ...
