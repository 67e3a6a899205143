"""An OIDC issuer (Amazon Cognito or any other): ID tokens checked by the keys it publishes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nofy.adapters.jose.claims import InvalidTokenError, verified
from nofy.adapters.jose.jwks import KeySet
from nofy.domain.accounts import Identity
from nofy.domain.errors import IdentityMisconfiguredError, IdentityUnavailableError, SignInRefusedError

if TYPE_CHECKING:
    from nofy.adapters.identity.fetch import Fetcher
    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "ES256"]
LEEWAY = timedelta(seconds=60)
CACHED = timedelta(hours=1)
REFETCH_EVERY = timedelta(seconds=60)
_MAX_SUBJECT = 255  # OpenID Connect Core, section 2
_MAX_EMAIL = 254  # RFC 5321


class OidcIdentity:
    """Implements :class:`nofy.ports.identity.IdentityProvider`. Issuer and audiences are configuration alone."""

    def __init__(self, issuer: str, audiences: list[str], fetcher: Fetcher, clock: Clock) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._fetcher = fetcher
        self._clock = clock
        self._keys = KeySet(self._published, clock, CACHED, REFETCH_EVERY)

    def identify(self, credential: str) -> Identity:
        try:
            claims = self._claims(credential)
            subject = _subject(claims)
        except InvalidTokenError as error:
            log.info("ID token refused", extra={"reason": str(error)})
            raise SignInRefusedError("sign_in_invalid") from error
        email = claims.get("email")
        if not (isinstance(email, str) and 0 < len(email) <= _MAX_EMAIL and claims.get("email_verified") is True):
            raise SignInRefusedError("email_unverified")
        return Identity(self._issuer, subject, email, email_verified=True, name=_name(claims))

    def _claims(self, token: str) -> dict[str, Any]:
        return verified(
            token,
            self._keys,
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=self._audiences,
            now=self._clock(),
            leeway=LEEWAY,
        )

    def _published(self) -> list[dict[str, Any]]:
        """The issuer's keys, from where its discovery document says."""
        found = self._get(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        where = found.get("jwks_uri")
        if found.get("issuer") != self._issuer or not isinstance(where, str) or not self._may_ask(where):
            log.error("the discovery document is another issuer's", extra={"issuer": str(found.get("issuer"))})
            raise IdentityMisconfiguredError("the discovery document does not fit OIDC_ISSUER")
        keys = self._get(where).get("keys")
        if not isinstance(keys, list):
            raise IdentityUnavailableError("no keys at the issuer's jwks_uri")
        return keys

    def _may_ask(self, where: str) -> bool:
        """Keys come by https; by http only from an issuer that is itself configured so (on one machine)."""
        return where.startswith("https://") or (where.startswith("http://") and self._issuer.startswith("http://"))

    def _get(self, url: str) -> dict[str, Any]:
        answer = self._fetcher.get(url)
        document = answer.json()
        if answer.status != 200 or document is None:
            raise IdentityUnavailableError(f"the issuer answered {answer.status}")
        return document


def _subject(claims: dict[str, Any]) -> str:
    """Who it is. Cognito's access tokens are signed by the same keys and say so in ``token_use``."""
    subject = claims["sub"]
    if claims.get("token_use", "id") != "id":
        raise InvalidTokenError("not an ID token")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise InvalidTokenError("no subject")
    return subject


def _name(claims: dict[str, Any]) -> str:
    name = claims.get("name")
    return name if isinstance(name, str) else ""
