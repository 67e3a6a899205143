"""An environment variable's text as what a setting is: ValueError, in words, for what it cannot be."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def read(kind: Any, value: str) -> Any:
    """The value as its field's type. KeyError for a type that no setting has had so far."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _one_of(kind, value)
    return _READERS[kind](value)


def _text(value: str) -> str:
    if not value:
        raise ValueError("empty")
    return value


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("neither true nor false")
    return value == "true"


def _names(value: str) -> dict[str, str]:
    document = json.loads(value)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # it is a wrong value, whatever its type
    return document


def _figures(value: str) -> dict[str, int]:
    document = json.loads(value)
    if not isinstance(document, dict) or not all(type(each) is int and each > 0 for each in document.values()):
        raise ValueError("not a JSON object of whole numbers above 0")
    return document


def _listed(value: str) -> tuple[str, ...]:
    return tuple(each for each in (each.strip() for each in value.split(",")) if each)


def _one_of(kind: type[StrEnum], value: str) -> StrEnum:
    if value not in list(kind):
        raise ValueError(f"none of {', '.join(kind)}")
    return kind(value)


_READERS: dict[Any, Callable[[str], Any]] = {
    str: _text,
    str | None: _text,
    bool: _flag,
    dict[str, str]: _names,
    dict[str, int]: _figures,
    tuple[str, ...]: _listed,
}
