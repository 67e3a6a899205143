"""Who calls, by the bearer token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.domain import tokens
from nofy.domain.errors import UnauthenticatedError

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.ports.store import Acceptances


def authenticate(authorization: str | None, store: Acceptances) -> Principal:
    """The token's holder. Junk is refused by its checksum, without asking the database."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not tokens.well_formed(token.strip()):
        raise UnauthenticatedError
    principal = store.principal(tokens.digest(token.strip()))
    if principal is None:
        raise UnauthenticatedError
    return principal
