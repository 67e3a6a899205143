"""Who vouches for people, and where the keys lie by which Nofy then vouches for them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from nofy.domain.accounts import Identity
    from nofy.domain.signing_keys import SigningKey


class IdentityProvider(Protocol):
    """AppWrite, or an OIDC issuer."""

    def identify(self, credential: str) -> Identity:
        """Whose credential it is; the e-mail address is verified.

        Raises SignInRefusedError, IdentityUnavailableError or IdentityMisconfiguredError.
        """


class KeyRing(NamedTuple):
    """The signing keys as they were read. ``version`` names this state; None: there never was any."""

    version: str | None
    keys: tuple[SigningKey, ...]


class PrivateKeys(Protocol):
    """Where the signing keys lie. Raises IdentityUnavailableError when that cannot be asked."""

    def read(self) -> KeyRing: ...

    def replace(self, read: KeyRing, keys: tuple[SigningKey, ...]) -> bool:
        """Store other keys, unless somebody else has stored any since ``read``: then False, and nothing changes."""


class PublicKeys(Protocol):
    """Where verifiers find them, as a JWKS. Raises IdentityUnavailableError when that cannot be asked."""

    def read(self) -> list[dict[str, Any]]: ...

    def write(self, keys: list[dict[str, Any]]) -> None: ...
