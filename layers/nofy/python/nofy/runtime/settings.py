"""Settings from environment variables, one frozen class per function.

A variable that is missing or wrong fails the cold start with its name: a function never runs half-configured.
"""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Settings = TypeVar("Settings")


class Auth(StrEnum):
    """How a function signs in: with what the address says (on one machine), or with a token of IAM."""

    ADDRESS = "address"
    IAM = "iam"


class PostgresAuth(StrEnum):
    """The same for PostgreSQL, whose owner has a password in Secrets Manager."""

    ADDRESS = "address"
    IAM = "iam"
    SECRET = "secret"  # noqa: S105  # the name of a way, not a secret


class WrongSettingsError(Exception):
    """Environment variables that are missing or cannot be read, all of them at once."""


def load(kind: type[Settings], environment: Mapping[str, str] = os.environ) -> Settings:
    """An instance of a settings class: the field ``redis_url`` is read from ``REDIS_URL``, if it need be at all."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in fields(kind):  # type: ignore[arg-type]  # every settings class is a dataclass
        variable = each.name.upper()
        if variable not in environment:
            if each.default is MISSING:
                problems.append(f"{variable} is not set")
            continue
        try:
            values[each.name] = _READERS[hints[each.name]](environment[variable])
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


def _listed(value: str) -> tuple[str, ...]:
    return tuple(each for each in (each.strip() for each in value.split(",")) if each)


def _one_of(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(value: str) -> StrEnum:
        if value not in list(kind):
            raise ValueError(f"none of {', '.join(kind)}")
        return kind(value)

    return read


_READERS: dict[Any, Callable[[str], Any]] = {
    str: _text,
    str | None: _text,
    bool: _flag,
    dict[str, str]: _names,
    tuple[str, ...]: _listed,
    Auth: _one_of(Auth),
    PostgresAuth: _one_of(PostgresAuth),
}


@dataclass(frozen=True, kw_only=True)
class PostgresSettings:
    """``postgres_auth`` iam: the password is a token; secret: it is in ``postgres_secret_arn``; else in the DSN."""

    postgres_dsn: str
    postgres_auth: PostgresAuth = PostgresAuth.ADDRESS
    postgres_secret_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """``redis_serverless``: it speaks cluster mode, and its tokens (signed for ``redis_cache_name``) say so."""

    redis_url: str
    redis_auth: Auth = Auth.ADDRESS
    redis_cache_name: str | None = None
    redis_serverless: bool = False


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    kafka_bootstrap: str
    kafka_auth: Auth = Auth.ADDRESS


# A dataclass has its last base's fields first.


@dataclass(frozen=True, kw_only=True)
class EdgeSettings(RedisSettings):
    """Who is let in besides API tokens: people, where both of the first two are set; other origins' pages.

    ``cors_origins``: ``https://console.example,https://other.example``, each exactly as a browser sends it.
    """

    signing_keys_bucket: str | None = None
    console_issuer: str | None = None
    cors_origins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProducerSettings(EdgeSettings, PostgresSettings):
    pass


@dataclass(frozen=True, kw_only=True)
class DispatcherSettings(KafkaSettings, RedisSettings, PostgresSettings):
    kafka_reports_lag: bool


@dataclass(frozen=True, kw_only=True)
class ConsumerSettings(KafkaSettings, RedisSettings, PostgresSettings):
    sender_functions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class AcksSettings(RedisSettings, PostgresSettings):
    pass


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings(PostgresSettings):
    """dlq, migrate and operator need nothing but the database."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    slack_api_url: str


@dataclass(frozen=True, slots=True)
class BrevoSettings:
    brevo_api_url: str


@dataclass(frozen=True, slots=True)
class WhatsAppSettings:
    whatsapp_api_url: str


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """Who vouches for people: AppWrite, an OIDC issuer (its audiences separated by commas), both, or nobody."""

    signing_secret_arn: str
    console_issuer: str
    appwrite_endpoint: str | None = None
    appwrite_project: str | None = None
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pairs = {
            "APPWRITE_ENDPOINT and APPWRITE_PROJECT": (self.appwrite_endpoint, self.appwrite_project),
            "OIDC_ISSUER and OIDC_AUDIENCE": (self.oidc_issuer, self.oidc_audience),
        }
        problems = [f"{names} belong together" for names, pair in pairs.items() if pair.count(None) == 1]
        if problems:
            raise WrongSettingsError("; ".join(problems))


@dataclass(frozen=True, kw_only=True)
class KeysSettings:
    """The function that makes the keys that sign console tokens."""

    signing_secret_arn: str
    signing_keys_bucket: str


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings(EdgeSettings, PostgresSettings):
    """``vault_function`` checks and seals credentials; ``console_url`` is where the dashboard's pages are.

    Without the latter the links of invitations begin at its root, and none of them is sent by e-mail.
    """

    vault_function: str
    console_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class VaultSettings:
    """Where each provider's API is, and the key of KMS that credentials are sealed with."""

    slack_api_url: str
    brevo_api_url: str
    whatsapp_api_url: str
    credentials_key_id: str
