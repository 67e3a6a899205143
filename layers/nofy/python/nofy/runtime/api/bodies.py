"""From a body's bytes to JSON that PostgreSQL can store, and nothing that is a bomb."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from nofy.domain.errors import MalformedRequestError, TooLargeError

# The limit of a request's body, in bytes, and of the nesting in it: Block Kit needs about ten levels. Keys and values
# are counted as well: a batch of a hundred with twenty fields and a table of blocks each has about ten thousand, while
# 256 KB of "[[],[],…" are eighty thousand objects to build and look at.
MAX_BODY = 256 * 1024
MAX_DEPTH = 64
MAX_VALUES = 20_000


def parse_json(body: bytes) -> Any:
    """The body's JSON. Raises TooLargeError or MalformedRequestError."""
    if len(body) > MAX_BODY:
        raise TooLargeError(f"{len(body)} bytes; at most {MAX_BODY}")
    try:
        value = json.loads(body, object_pairs_hook=_object)
        _refuse_unstorable(value)
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(str(error) or "nested too deeply") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """ValueError for a key that stands there twice: which of the two is meant, each parser decides for itself."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _refuse_unstorable(value: Any) -> None:
    """ValueError for what Python's parser lets through and UTF-8 or PostgreSQL's jsonb does not, and for bombs."""
    level, values = [value], 0
    for _ in range(MAX_DEPTH):
        values += len(level)
        if values > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} keys and values")
        level = _below(level)
        if not level:
            return
    raise ValueError("nested too deeply")


def _below(level: list[Any]) -> list[Any]:
    """The level below; ValueError where one of these cannot be stored.

    One loop for all of them: a batch of a hundred has 1,400.
    """
    below: list[Any] = []
    for each in level:
        if isinstance(each, str):
            each.encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
            if "\0" in each:
                raise ValueError("a string with a NUL character")
        elif isinstance(each, dict):
            below += each
            below += each.values()
        elif isinstance(each, list):
            below += each
        elif isinstance(each, float) and not isfinite(each):
            raise ValueError("a number that is not finite")
    return below
