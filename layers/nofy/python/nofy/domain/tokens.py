"""API tokens: ``nofy_live_`` or ``nofy_test_``, 30 base62 characters, 6 of CRC32.

The checksum refuses junk without asking the database; GitHub's tokens are made the same way. Only the SHA-256
is stored: 30 base62 characters are 178 bits, so a slow hash would protect nothing.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 30
_CHECKSUM_LENGTH = 6
_SHAPE = re.compile(r"nofy_(live|test)_[0-9A-Za-z]{36}")


class Mode(StrEnum):
    """Whether a token's notifications reach people, or stop at a simulated provider."""

    LIVE = "live"
    TEST = "test"


def generate(mode: Mode, choose: Callable[[str], str]) -> str:
    """A new token; ``choose`` picks one character of a string (``secrets.choice``)."""
    body = f"nofy_{mode}_" + "".join(choose(BASE62) for _ in range(_SECRET_LENGTH))
    return body + _checksum(body)


def well_formed(token: str) -> bool:
    """Whether the token's shape and checksum are right; says nothing about whether it was ever issued."""
    return bool(_SHAPE.fullmatch(token)) and _checksum(token[:-_CHECKSUM_LENGTH]) == token[-_CHECKSUM_LENGTH:]


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def hint(token: str) -> str:
    """What a person may see of a token after it was shown once."""
    return f"{token[:14]}…{token[-4:]}"


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        value, digit = divmod(value, len(BASE62))
        digits = BASE62[digit] + digits
    return digits
