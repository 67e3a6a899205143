"""Signing in to data by IAM, and the one password there is.

A token is a request that is signed and never sent, good for quarter of an hour: nothing leaves this machine to make
one, so every new connection gets its own. botocore is imported for the first of them, and boto3 never: a handler's
cold start does not wait for either.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds; both services refuse to look at anything older:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
TOKEN_LIFETIME = 900

# The migrator asks for its password through an endpoint in its own network; the deploy would rather hear than wait.
SECRET_TIMEOUT = 5


class SignInError(Exception):
    """This function has no credentials or no region to sign with, or a secret that is not one of RDS's."""


def postgres_token(dsn: str) -> Callable[[], str]:
    """What makes tokens for the user, host and port of a connection string; a proxy's host is signed like another."""
    where = urlsplit(dsn)
    user, address = where.username or "", f"{where.hostname}:{where.port or 5432}"
    return lambda: _signed("rds-db", address, Action="connect", DBUser=user)


def redis_token(user: str, cache_name: str, *, serverless: bool) -> Callable[[], str]:
    """The same for a user of ElastiCache: signed for the cache's name, whatever its address is."""
    kind = {"ResourceType": "ServerlessCache"} if serverless else {}
    return lambda: _signed("elasticache", cache_name, Action="connect", User=user, **kind)


def secret_password(arn: str) -> Callable[[], str]:
    """What reads the password of a secret that RDS made, and makes anew every week."""

    def read() -> str:
        answer = _secrets_manager().get_secret_value(SecretId=arn)
        try:
            return str(json.loads(answer["SecretString"])["password"])
        except (KeyError, TypeError, ValueError) as error:
            raise SignInError(f"{arn} has no password: {type(error).__name__}") from None

    return read


def _signed(service: str, host: str, **query: str) -> str:
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    session = _session()
    credentials, region = session.get_credentials(), session.get_config_variable("region")
    if credentials is None or region is None:
        raise SignInError(f"nothing to sign with: {'no credentials' if credentials is None else 'no region'}")
    request = AWSRequest("GET", f"https://{host}/", params=query)
    signature = SigV4QueryAuth(credentials.get_frozen_credentials(), service, region, expires=TOKEN_LIFETIME)
    signature.add_auth(request)
    return str(request.url).removeprefix("https://")


@cache
def _session() -> Any:
    """One for the function's life: it renews credentials that expire, and a new one costs 30 ms (measured)."""
    from botocore.session import get_session

    return get_session()


def _secrets_manager() -> Any:
    from botocore.config import Config

    config = Config(connect_timeout=SECRET_TIMEOUT, read_timeout=SECRET_TIMEOUT)
    return _session().create_client("secretsmanager", config=config)
