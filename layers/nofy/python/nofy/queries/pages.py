"""Opaque cursors: where a page ended, in a form that nobody should take apart."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from nofy.domain.errors import FieldError, InvalidRequestError

# Items on a page unless asked otherwise, and at most.
DEFAULT_LIMIT = 25
MAX_LIMIT = 100


def encode_cursor(last: UUID) -> str:
    """The cursor of the page after this item."""
    return base64.urlsafe_b64encode(b"\x01" + last.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """The item a page starts after; InvalidRequestError for a cursor that this API never gave out."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 17 or raw[0] != 1:
        raise InvalidRequestError([FieldError("?/cursor", "invalid", "not a cursor of this API")])
    return UUID(bytes=raw[1:])
