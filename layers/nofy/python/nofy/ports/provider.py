"""A provider's API, and the vault that opens what it is called with. Only senders use these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nofy.domain.outcomes import Outcome
    from nofy.domain.sending import Message, SealedCredential


class ProviderClient(Protocol):
    """Makes one call for one message. Never raises: whatever happens is an outcome."""

    def call(self, message: Message, credential: str) -> Outcome: ...


class Vault(Protocol):
    """Opens sealed credentials; refuses a ciphertext that was sealed for another project or integration."""

    def open(self, sealed: SealedCredential) -> str: ...
