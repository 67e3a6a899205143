"""What a request shows of whoever sent it, and who that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nofy.domain.accounts import Identity
    from nofy.domain.notification import Principal


class Tokens(Protocol):
    """API tokens, by the hash that is stored of them."""

    def principal(self, token_hash: bytes) -> Principal | None:
        """Who holds a token that is neither revoked nor past its time, in a project that is not archived.

        Raises StoreUnavailableError.
        """


class Verify(Protocol):
    """Verifies the tokens that ``session`` signs."""

    def __call__(self, token: str) -> Identity:
        """Whom it was given to. Raises UnauthenticatedError; past its time TokenExpiredError."""
