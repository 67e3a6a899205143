"""Tokens as an attacker makes them, out of what is public."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


def encoded(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any], algorithm: str = "none", **header: Any) -> str:
    return f"{encoded({'alg': algorithm, 'typ': 'JWT', **header})}.{encoded(claims)}."


def signed_with_public_key(claims: dict[str, Any], public: bytes, kid: str) -> str:
    """HS256 whose secret is the public key's text: believed by whoever lets the token choose the algorithm."""
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(public, signed.encode(), hashlib.sha256))}"


def altered(token: str, **claims: Any) -> str:
    """The same signature under other claims."""
    header, payload, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"{header}.{encoded(known | claims)}.{signature}"


NOT_TOKENS = [
    "",
    ".",
    "..",
    "a.b",
    "a.b.c",
    "a.b.c.d",
    "é.é.é",
    "eyJhbGciOiJFUzI1NiJ9..",
    "null.null.null",
    "\0",
    "a" * 10_000,
]
