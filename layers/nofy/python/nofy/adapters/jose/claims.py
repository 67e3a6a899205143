"""What is checked in the same way whoever signed: the signature's kind and key, and the times."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from nofy.adapters.jose.jwks import KeySet


class InvalidTokenError(Exception):
    """A token that is not believed; the text says why, for a log and never for the caller."""


class ExpiredTokenError(InvalidTokenError):
    """It was good once."""


def verified(
    token: str,
    keys: KeySet,
    *,
    algorithms: list[str],
    issuer: str,
    audience: list[str],
    now: datetime,
    leeway: timedelta,
) -> dict[str, Any]:
    """The claims of a token that one of ``keys`` signed, for us, and that is good now.

    Raises InvalidTokenError, or IdentityUnavailableError when the keys cannot be read. The algorithm is one of ours
    and the key's own: what the header says of it chooses nothing.
    """
    import jwt

    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("alg") not in algorithms or not isinstance(kid, str):
            raise InvalidTokenError("another algorithm, or no kid")
        if (key := keys.find(kid)) is None or key.algorithm_name not in algorithms:
            raise InvalidTokenError("nobody's key")
        # The times are checked below, by the clock that everything here goes by.
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer,
            audience=audience,
            options={
                "require": ["exp", "iat", "iss", "aud", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise InvalidTokenError(type(error).__name__) from error
    _check_times(claims, now, leeway)
    return claims


def _check_times(claims: dict[str, Any], now: datetime, leeway: timedelta) -> None:
    present, slack = now.timestamp(), leeway.total_seconds()
    for name in ("nbf", "iat"):
        if name in claims and _number(claims[name]) > present + slack:
            raise InvalidTokenError(f"{name} is in the future")
    if _number(claims["exp"]) <= present - slack:
        raise ExpiredTokenError("expired")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidTokenError("a time that is no number")
    return value
