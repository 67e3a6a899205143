"""Settings from environment variables, one frozen class per function.

A variable that is missing or wrong fails the cold start with its name: a function never runs half-configured.
"""

from __future__ import annotations

import os
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, get_type_hints

from nofy.runtime.variables import read

if TYPE_CHECKING:
    from collections.abc import Mapping

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
            if each.default is MISSING and each.default_factory is MISSING:
                problems.append(f"{variable} is not set")
            continue
        try:
            values[each.name] = read(hints[each.name], environment[variable])
        except ValueError as error:
            problems.append(f"{variable} is wrong: {error}")
    if problems:
        raise WrongSettingsError("; ".join(problems))
    return kind(**values)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def _settings(kind: type[Settings]) -> type[Settings]:
    """Frozen, and never shown: an address may hold a password. (And without == and repr it costs half as much.)"""
    return dataclass(frozen=True, kw_only=True, eq=False, repr=False)(kind)


@_settings
class PostgresSettings:
    """``postgres_auth`` iam: the password is a token; secret: it is in ``postgres_secret_arn``; else in the DSN."""

    postgres_dsn: str
    postgres_auth: PostgresAuth = PostgresAuth.ADDRESS
    postgres_secret_arn: str | None = None


@_settings
class RedisSettings:
    """``redis_serverless``: it speaks cluster mode, and its tokens (signed for ``redis_cache_name``) say so."""

    redis_url: str
    redis_auth: Auth = Auth.ADDRESS
    redis_cache_name: str | None = None
    redis_serverless: bool = False


@_settings
class KafkaSettings:
    """``kafka_bootstrap``: ``host:port``, separated by commas."""

    kafka_bootstrap: str
    kafka_auth: Auth = Auth.ADDRESS


# A dataclass has its last base's fields first.


@_settings
class EdgeSettings(RedisSettings):
    """Who is let in besides API tokens: people, where both of the first two are set; other origins' pages.

    ``cors_origins``: ``https://console.example,https://other.example``, each exactly as a browser sends it.
    """

    signing_keys_bucket: str | None = None
    console_issuer: str | None = None
    cors_origins: tuple[str, ...] = ()


@_settings
class ProducerSettings(EdgeSettings, PostgresSettings):
    """The API of notifications."""


@_settings
class DispatcherSettings(KafkaSettings, RedisSettings, PostgresSettings):
    """``kafka_reports_lag``: whether this broker says how far consumers have read."""

    """``target_lag``: records that each lane, by its name, may have unread (``pipeline/credit.py``)."""

    kafka_reports_lag: bool
    target_lag: dict[str, int] = field(default_factory=dict)


@_settings
class ConsumerSettings(KafkaSettings, RedisSettings, PostgresSettings):
    """``sender_functions``: the name of the function that sends, by provider."""

    sender_functions: dict[str, str]


@_settings
class AcksSettings(RedisSettings, PostgresSettings):
    """Outcomes go into PostgreSQL, retries into Redis."""


@_settings
class DatabaseSettings(PostgresSettings):
    """dlq, migrate and operator need nothing but the database."""


@_settings
class SlackSettings:
    """Where Slack's API is."""

    slack_api_url: str


@_settings
class BrevoSettings:
    """Where Brevo's API is."""

    brevo_api_url: str


@_settings
class WhatsAppSettings:
    """Where the WhatsApp Cloud API is, with its version."""

    whatsapp_api_url: str


@_settings
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


@_settings
class KeysSettings:
    """The function that makes the keys that sign console tokens."""

    signing_secret_arn: str
    signing_keys_bucket: str


@_settings
class ConsoleSettings(EdgeSettings, PostgresSettings):
    """``vault_function`` checks and seals credentials; ``console_url`` is where the dashboard's pages are.

    Without the latter the links of invitations begin at its root, and none of them is sent by e-mail.
    """

    vault_function: str
    console_url: str | None = None


@_settings
class VaultSettings:
    """Where each provider's API is, and the key of KMS that credentials are sealed with."""

    slack_api_url: str
    brevo_api_url: str
    whatsapp_api_url: str
    credentials_key_id: str
