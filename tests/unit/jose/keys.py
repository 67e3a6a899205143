"""Real keys for tests, made once: RSA and P-256, as an issuer publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


@dataclass(frozen=True)
class Pair:
    """A key pair under a name."""

    kid: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        convert = RSAAlgorithm if self.algorithm.startswith("RS") else ECAlgorithm
        return {**convert.to_jwk(self.private.public_key(), as_dict=True), "kid": self.kid, "use": "sig"}

    @property
    def public_pem(self) -> bytes:
        return bytes(self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.kid, **headers})


@cache
def rsa_pair(kid: str = "rsa-1") -> Pair:
    return Pair(kid, "RS256", rsa.generate_private_key(65537, 2048))


@cache
def ec_pair(kid: str = "ec-1") -> Pair:
    return Pair(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))
