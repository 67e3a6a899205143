"""``POST /v1/session``: somebody else's word for who a person is, against a console token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import FieldError, IdentityUnavailableError, InvalidRequestError
from nofy.domain.ids import Prefix, encode
from nofy.domain.signing_keys import signer
from nofy.runtime.api.application import body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from nofy.adapters.jose.signing import IssuedToken
    from nofy.domain.accounts import Identity
    from nofy.domain.signing_keys import SigningKey
    from nofy.ports.clock import Clock
    from nofy.ports.identity import IdentityProvider
    from nofy.runtime.api.application import Application
    from nofy.runtime.api.responses import Response

FIELDS = ("jwt", "id_token")


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the route calls. ``providers`` is who vouches for a credential in each field, where anybody does.

    ``sign`` makes a console token for somebody, with a key, an issuer, a time and an id.
    """

    providers: Mapping[str, IdentityProvider]
    keys: Callable[[], tuple[SigningKey, ...]]
    sign: Callable[[Identity, SigningKey, str, datetime, UUID], IssuedToken]
    issuer: str
    clock: Clock
    new_id: Callable[[], UUID]

    def sign_in(self, field: str, credential: str) -> tuple[Identity, IssuedToken]:
        """Who it is, and their token. Raises what the provider raises, and IdentityUnavailableError without a key."""
        identity = self.providers[field].identify(credential)
        now = self.clock()
        if (key := signer(self.keys(), now)) is None:
            logger.error("there is no signing key; the function that makes them has not run")
            raise IdentityUnavailableError("there is no signing key", retry_after=30)
        return identity, self.sign(identity, key, self.issuer, now, self.new_id())


def register(app: Application, ports: SignIn) -> None:
    """Add the route."""

    @Routes(app, None, Function.SESSION).public("signIn")
    def sign_in() -> Response:
        identity, issued = ports.sign_in(*_read(body_of(app), ports.providers))
        logger.info("signed in", extra={"user_id": str(identity.user_id)})
        return answer(201, _shown(identity, issued), {"Cache-Control": "no-store"})


def _read(body: bytes, providers: Mapping[str, IdentityProvider]) -> tuple[str, str]:
    """The field that was filled, and the credential in it; every error at once."""
    from nofy.runtime.api.requests import read
    from nofy.runtime.api.sign_in_models import SessionRequest

    value = parse_json(body)
    errors = list(_which(value, providers)) if isinstance(value, dict) else []
    try:
        request = read(SessionRequest, value)
    except InvalidRequestError as error:
        raise InvalidRequestError([*errors, *error.errors]) from None
    if errors:
        raise InvalidRequestError(errors)
    field = next(name for name in FIELDS if getattr(request, name) is not None)
    return field, getattr(request, field)


def _which(value: dict[str, Any], providers: Mapping[str, IdentityProvider]) -> list[FieldError]:
    """What is wrong with the choice between the fields."""
    given = [name for name in FIELDS if value.get(name) is not None]
    if len(given) != 1:
        return [FieldError("", "exactly_one", "give either jwt or id_token")]
    if given[0] not in providers:
        return [FieldError(f"/{given[0]}", "not_configured", "nobody here vouches for this kind of sign-in")]
    return []


def _shown(identity: Identity, issued: IssuedToken) -> dict[str, Any]:
    return {
        "token": issued.token,
        "token_type": "Bearer",
        "expires_at": issued.expires_at.isoformat(timespec="milliseconds"),
        "user": {"id": encode(Prefix.USER, identity.user_id), "email": identity.email, "name": identity.name},
    }
