"""JSON to frozen dataclasses, strictly, with the path of whatever is wrong."""

from __future__ import annotations

import dataclasses
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SettingsError(ValueError):
    """A value of the stage's settings is missing or wrong; the message begins with its path."""


T = TypeVar("T")


def parse(cls: type[T], raw: object, path: str) -> T:
    """Builds a settings dataclass from a JSON object, strictly: each field must be there, and nothing else.

    A field that may be null is left out instead: the CDK drops nulls from the context on their way here.
    """
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: {raw!r} is not an object")
    hints = get_type_hints(cls)
    for name in sorted(raw.keys() - hints.keys()):
        raise SettingsError(f"{path}.{name}: no such setting")
    values = {name: _value(hint, raw.get(name), f"{path}.{name}") for name, hint in hints.items()}
    return _build(cls, values, path)


def _build(cls: type[T], values: Mapping[str, Any], path: str) -> T:
    try:
        return cls(**values)
    except SettingsError as error:
        raise SettingsError(f"{path}.{error}") from error


def _value(hint: Any, raw: object, path: str) -> object:
    allowed = get_args(hint) or (hint,)
    if raw is None and NoneType not in allowed:
        raise SettingsError(f"{path}: missing")
    if raw is not None and dataclasses.is_dataclass(allowed[0]):
        return parse(cast("type[Any]", allowed[0]), raw, path)
    if get_origin(hint) is dict:
        return _mapping(get_args(hint)[1], raw, path)
    # type(), not isinstance(): true is an int to isinstance, and "burst": true is a mistake.
    if type(raw) not in allowed:
        raise SettingsError(f"{path}: {raw!r} is not of type {allowed[0].__name__}")
    return raw


def _mapping(hint: Any, raw: object, path: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise SettingsError(f"{path}: {raw!r} is not an object")
    return {name: _value(hint, value, f"{path}.{name}") for name, value in raw.items()}


def within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{name}: {value} is not between {low} and {high}")


def one_of(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise SettingsError(f"{name}: {value!r} is not one of {', '.join(choices)}")
