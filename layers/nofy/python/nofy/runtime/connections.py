"""What a function talks to, signed in to as its settings say. Nothing connects before it is used.

An adapter is loaded by who asks for it: the producer knows no Kafka, and the acks handler no limiter.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nofy.runtime import clock
from nofy.runtime.settings import Auth, PostgresAuth, PostgresSettings, RedisSettings, WrongSettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.adapters.jose.verifying import ConsoleTokens
    from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets
    from nofy.adapters.kafka.producer import KafkaBus
    from nofy.adapters.postgres.database import Database
    from nofy.adapters.redis.limiter import RedisLimiter
    from nofy.adapters.redis.quotas import RedisQuotas
    from nofy.adapters.redis.schedule import RedisSchedule
    from nofy.ports.tokens import Verify
    from nofy.runtime.settings import DispatcherSettings, EdgeSettings, KafkaSettings

    Password = Callable[[], str]


# What the first console token imports: where its key is read from, and what verifies it.
VERIFYING = ("nofy.adapters.aws.keys", "nofy.adapters.jose.verifying", "boto3", "jwt.algorithms")


def database(configured: PostgresSettings, application: str) -> Database:
    from nofy.adapters.postgres.database import Database

    return Database(configured.postgres_dsn, application=application, password=_postgres_password(configured))


def schedule(configured: RedisSettings, timeout: float) -> RedisSchedule:
    from nofy.adapters.redis.schedule import RedisSchedule

    return RedisSchedule(configured.redis_url, timeout=timeout, **_redis(configured))


def limiter(configured: RedisSettings, timeout: float) -> RedisLimiter:
    from nofy.adapters.redis.limiter import RedisLimiter

    return RedisLimiter(configured.redis_url, timeout=timeout, **_redis(configured))


def quotas(configured: RedisSettings, timeout: float) -> RedisQuotas:
    from nofy.adapters.redis.quotas import RedisQuotas

    return RedisQuotas(configured.redis_url, timeout=timeout, **_redis(configured))


def drivers(configured: object) -> list[str]:
    """What the first use of each of these connections imports, by name: for ``initialization.load_ahead``."""
    found: list[str] = []
    signed = False
    if isinstance(configured, PostgresSettings):
        found.append("psycopg2.extras")
        signed |= configured.postgres_auth is PostgresAuth.IAM
    if isinstance(configured, RedisSettings):
        found.append("redis")
        signed |= configured.redis_auth is Auth.IAM
    return found + (["botocore.session", "botocore.auth"] if signed else [])


def console_tokens(configured: EdgeSettings) -> Verify | None:
    """What verifies console tokens, loaded with the first of them; None where there are none."""
    bucket, issuer = configured.signing_keys_bucket, configured.console_issuer
    if bucket is None or issuer is None:
        return None

    @cache
    def tokens() -> ConsoleTokens:
        from nofy.adapters.aws.keys import BucketKeys
        from nofy.adapters.jose.verifying import ConsoleTokens

        return ConsoleTokens(BucketKeys(bucket).read, issuer, clock.now)

    return lambda token: tokens().verify(token)


def bus(configured: KafkaSettings) -> KafkaBus:
    from nofy.adapters.kafka.producer import KafkaBus

    return KafkaBus(configured.kafka_bootstrap, iam=configured.kafka_auth is Auth.IAM)


def offsets(configured: DispatcherSettings) -> KafkaOffsets | UnreportedOffsets:
    from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets

    if not configured.kafka_reports_lag:
        return UnreportedOffsets()
    return KafkaOffsets(configured.kafka_bootstrap, iam=configured.kafka_auth is Auth.IAM)


def _postgres_password(configured: PostgresSettings) -> Password | None:
    if configured.postgres_auth is PostgresAuth.ADDRESS:
        return None
    from nofy.adapters.aws import signing

    if configured.postgres_auth is PostgresAuth.IAM:
        return signing.postgres_token(configured.postgres_dsn)
    return signing.secret_password(_needed("POSTGRES_SECRET_ARN", configured.postgres_secret_arn))


def _redis(configured: RedisSettings) -> dict[str, Any]:
    """What every client of Redis is told beside its address and its patience."""
    return {"password": _redis_password(configured), "cluster": configured.redis_serverless}


def _redis_password(configured: RedisSettings) -> Password | None:
    if configured.redis_auth is Auth.ADDRESS:
        return None
    from nofy.adapters.aws import signing

    user = _needed("the user in REDIS_URL", urlsplit(configured.redis_url).username)
    cache_name = _needed("REDIS_CACHE_NAME", configured.redis_cache_name)
    return signing.redis_token(user, cache_name, serverless=configured.redis_serverless)


def _needed(name: str, value: str | None) -> str:
    """What only this way of signing in needs."""
    if value is None:
        raise WrongSettingsError(f"{name} is not set")
    return value
