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

from nofy.domain.errors import SignInError

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds; both services refuse to look at anything older:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
TOKEN_LIFETIME = 900

# The migrator asks for its password through an endpoint in its own network; the deploy would rather hear than wait.
SECRET_TIMEOUT = 5


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
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = _secrets_manager().get_secret_value(SecretId=arn)
            return str(json.loads(answer["SecretString"])["password"])
        except (BotoCoreError, ClientError) as error:
            raise SignInError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise SignInError(f"{arn} has no password: {type(error).__name__}") from None  # it would show the secret

    return read


def _signed(service: str, host: str, **query: str) -> str:
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    credentials, region = _identity()
    request = AWSRequest("GET", f"https://{host}/", params=query)
    SigV4QueryAuth(credentials, service, region, expires=TOKEN_LIFETIME).add_auth(request)
    return str(request.url).removeprefix("https://")


def _identity() -> tuple[Any, str]:
    """The function's credentials as they are at this moment, and its region."""
    from botocore.exceptions import BotoCoreError

    session = _session()
    try:
        credentials, region = session.get_credentials(), session.get_config_variable("region")
        if credentials is None or region is None:
            raise SignInError(f"nothing to sign with: no {'credentials' if credentials is None else 'region'}")
        return credentials.get_frozen_credentials(), region
    except BotoCoreError as error:
        raise SignInError(str(error)) from error


@cache
def _session() -> Any:
    """One for the function's life: it renews credentials that expire."""
    from botocore.session import get_session

    return get_session()


def _secrets_manager() -> Any:
    from botocore.config import Config

    config = Config(connect_timeout=SECRET_TIMEOUT, read_timeout=SECRET_TIMEOUT)
    return _session().create_client("secretsmanager", config=config)
