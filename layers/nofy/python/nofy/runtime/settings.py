"""Settings from environment variables, one frozen class per function.

A variable that is missing or wrong fails the cold start with its name: a function never runs half-configured.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Settings = TypeVar("Settings")


class WrongSettingsError(Exception):
    """Environment variables that are missing or cannot be read, all of them at once."""


def load(kind: type[Settings], environment: Mapping[str, str] = os.environ) -> Settings:
    """An instance of a settings class: the field ``redis_url`` is read from ``REDIS_URL``."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in fields(kind):  # type: ignore[arg-type]  # every settings class is a dataclass
        variable = each.name.upper()
        try:
            values[each.name] = _READERS[hints[each.name]](environment[variable])
        except KeyError:
            problems.append(f"{variable} is not set")
        except ValueError as error:
            problems.append(f"{variable} is wrong: {error}")
    if problems:
        raise WrongSettingsError("; ".join(problems))
    return kind(**values)


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


_READERS: dict[Any, Callable[[str], Any]] = {str: _text, bool: _flag, dict[str, str]: _names}


@dataclass(frozen=True, slots=True)
class ProducerSettings:
    postgres_dsn: str
    redis_url: str


@dataclass(frozen=True, slots=True)
class DispatcherSettings:
    postgres_dsn: str
    redis_url: str
    kafka_bootstrap: str
    kafka_reports_lag: bool


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    postgres_dsn: str
    kafka_bootstrap: str
    sender_functions: dict[str, str]


@dataclass(frozen=True, slots=True)
class AcksSettings:
    postgres_dsn: str
    redis_url: str


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """dlq, migrate and operator need nothing but the database."""

    postgres_dsn: str


@dataclass(frozen=True, slots=True)
class SlackSettings:
    slack_api_url: str


@dataclass(frozen=True, slots=True)
class BrevoSettings:
    brevo_api_url: str


@dataclass(frozen=True, slots=True)
class WhatsAppSettings:
    whatsapp_api_url: str
