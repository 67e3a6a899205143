"""An invitation's token: ``nofyinv_`` and 43 base62 characters, which are 256 bits. Stored as its SHA-256."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from nofy.domain.tokens import BASE62

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "nofyinv_"
_LENGTH = 43
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_LENGTH}}}")


def generate(choose: Callable[[str], str]) -> str:
    """A new token; ``choose`` picks one character of a string (``secrets.choice``)."""
    return PREFIX + "".join(choose(BASE62) for _ in range(_LENGTH))


def well_formed(token: str) -> bool:
    """Whether it could be one; says nothing about whether anybody was ever invited with it."""
    return bool(_SHAPE.fullmatch(token))


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def link(console_url: str | None, token: str) -> str:
    """Where the invited person goes: below the dashboard's address, or from its root where that is not known.

    The token stands behind the ``#``, and no browser sends what stands there: so no server can log it.
    """
    return f"{(console_url or '').rstrip('/')}/invitations#{token}"
