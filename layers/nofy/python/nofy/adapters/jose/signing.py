"""Console tokens, signed; and the keys that sign them, made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nofy.domain.signing_keys import TOKEN_LIFETIME, SigningKey

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.accounts import Identity

ALGORITHM = "ES256"
AUDIENCE = "nofy-console"
# Characters; a token is a header, whose length has a bound.
MAX_NAME = 128


class IssuedToken(NamedTuple):
    """A console token and the moment it ends."""

    token: str
    expires_at: datetime


def sign(identity: Identity, key: SigningKey, issuer: str, now: datetime, token_id: UUID) -> IssuedToken:
    """A console token for somebody, good for ``TOKEN_LIFETIME`` from the second it is made in."""
    import jwt

    issued_at = now.replace(microsecond=0)
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(identity.user_id),
        "iat": int(issued_at.timestamp()),
        "exp": int((issued_at + TOKEN_LIFETIME).timestamp()),
        "jti": str(token_id),
        "idp": identity.issuer,
        "ext": identity.subject,
        "email": identity.email,
        "email_verified": identity.email_verified,
        "name": identity.name[:MAX_NAME],
    }
    token = jwt.encode(claims, key.private_pem, algorithm=ALGORITHM, headers={"kid": key.kid})
    return IssuedToken(token, issued_at + TOKEN_LIFETIME)


def generate(created: datetime, active_from: datetime) -> SigningKey:
    """A new key on P-256, named by its RFC 7638 thumbprint: one name, one key."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return SigningKey(_thumbprint(_point(pem)), created, active_from, pem)


def public_half(key: SigningKey) -> dict[str, Any]:
    """The key as a JWKS has it; nothing of it is secret."""
    return {**_point(key.private_pem), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}


def _point(pem: str) -> dict[str, str]:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt.algorithms import ECAlgorithm

    private = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, EllipticCurvePrivateKey):
        raise TypeError("a signing key that is not on a curve")
    whole = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: str(whole[name]) for name in ("crv", "kty", "x", "y")}


def _thumbprint(point: dict[str, str]) -> str:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    canonical = json.dumps(point, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()
