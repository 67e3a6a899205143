"""Console tokens, checked by the published keys: whoever can do this cannot sign."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nofy.adapters.jose.claims import ExpiredTokenError, InvalidTokenError, verified
from nofy.adapters.jose.jwks import KeySet
from nofy.adapters.jose.signing import ALGORITHM, AUDIENCE
from nofy.domain.accounts import Identity
from nofy.domain.errors import TokenExpiredError, UnauthenticatedError
from nofy.domain.signing_keys import JWKS_CACHED, REFETCH_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

# What the clocks of two machines at AWS may differ by.
LEEWAY = timedelta(seconds=10)


class ConsoleTokens:
    """``read_keys`` gives the published keys (``adapters/aws/keys.py``); they are cached here."""

    def __init__(self, read_keys: Callable[[], list[dict[str, Any]]], issuer: str, clock: Clock) -> None:
        self._keys = KeySet(read_keys, clock, JWKS_CACHED, REFETCH_EVERY)
        self._issuer = issuer
        self._clock = clock

    def verify(self, token: str) -> Identity:
        """Whose token it is. Raises UnauthenticatedError, TokenExpiredError or IdentityUnavailableError."""
        try:
            return _identity(self._claims(token))
        except ExpiredTokenError as error:
            raise TokenExpiredError("the console token has expired") from error
        except InvalidTokenError as error:
            log.info("console token refused", extra={"reason": str(error)})
            raise UnauthenticatedError("not a valid console token") from error

    def _claims(self, token: str) -> dict[str, Any]:
        return verified(
            token,
            self._keys,
            algorithms=[ALGORITHM],
            issuer=self._issuer,
            audience=[AUDIENCE],
            now=self._clock(),
            leeway=LEEWAY,
        )


def _identity(claims: dict[str, Any]) -> Identity:
    texts = [claims.get(name) for name in ("idp", "ext", "email", "name")]
    if not all(isinstance(each, str) for each in texts):
        raise InvalidTokenError("claims are missing")
    issuer, subject, email, name = map(str, texts)
    identity = Identity(issuer, subject, email, claims.get("email_verified") is True, name)
    if claims["sub"] != str(identity.user_id):
        raise InvalidTokenError("sub is somebody else")
    return identity
