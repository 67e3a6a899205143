"""Where signing keys lie: the private ones in a secret, the public ones in a bucket.

boto3 is imported for the first call; a function that never sees a console token does not pay for it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nofy.domain.errors import IdentityUnavailableError
from nofy.domain.signing_keys import SIGNER_CACHED, SigningKey
from nofy.ports.identity import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.ports.clock import Clock

PUBLIC_KEYS = "jwks.json"

# Seconds; a caller waits for this.
TIMEOUT = 3

_CURRENT = "AWSCURRENT"
# What Secrets Manager says when the stage is not where it is to be moved from.
_MOVED_BEFORE = frozenset({"InvalidParameterException", "InvalidRequestException"})


class SecretKeys:
    """Implements :class:`nofy.ports.identity.PrivateKeys` on a secret of Secrets Manager."""

    def __init__(self, secret_arn: str) -> None:
        self._arn = secret_arn
        self._client: Any = None

    def read(self) -> KeyRing:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._connected().get_secret_value(SecretId=self._arn, VersionStage=_CURRENT)
        except ClientError as error:
            if _code(error) == "ResourceNotFoundException":
                return KeyRing(None, ())  # a secret without any version; without the secret, storing fails
            raise _unavailable("secret", error) from error
        except BotoCoreError as error:
            raise _unavailable("secret", error) from error
        return KeyRing(answer["VersionId"], _keys(answer.get("SecretString")))

    def replace(self, read: KeyRing, keys: tuple[SigningKey, ...]) -> bool:
        """A new version, which becomes the current one only if ``read`` still is.

        Putting a value has no condition, moving the stage from a version has one: of two at once, one is told no.
        (A secret that never had a version has nothing to move; the templates make it with one.)
        """
        from botocore.exceptions import BotoCoreError, ClientError

        version, client = str(uuid4()), self._connected()
        label = f"nofy-{version}" if read.version else _CURRENT
        value = {"SecretString": _text(keys), "ClientRequestToken": version, "VersionStages": [label]}
        try:
            client.put_secret_value(SecretId=self._arn, **value)
            return read.version is None or self._make_current(version, label, instead_of=read.version)
        except (BotoCoreError, ClientError) as error:
            raise _unavailable("secret", error) from error

    def _make_current(self, version: str, label: str, *, instead_of: str) -> bool:
        from botocore.exceptions import ClientError

        move = self._connected().update_secret_version_stage
        try:
            move(SecretId=self._arn, VersionStage=_CURRENT, MoveToVersionId=version, RemoveFromVersionId=instead_of)
        except ClientError as error:
            if _code(error) not in _MOVED_BEFORE:
                raise
            return False
        finally:  # a version is cleared away one day only if it has no label
            move(SecretId=self._arn, VersionStage=label, RemoveFromVersionId=version)
        return True

    def _connected(self) -> Any:
        if self._client is None:
            self._client = _client("secretsmanager")
        return self._client


class RememberedKeys:
    """The private keys for whoever signs, read again when they are ``SIGNER_CACHED`` old."""

    def __init__(self, read: Callable[[], KeyRing], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._known: tuple[datetime, tuple[SigningKey, ...]] | None = None

    def __call__(self) -> tuple[SigningKey, ...]:
        """No key at all is not worth remembering: the first one is on its way. Raises IdentityUnavailableError."""
        now = self._clock()
        if self._known is None or not self._known[1] or now - self._known[0] >= SIGNER_CACHED:
            self._known = (now, self._read().keys)
        return self._known[1]


class BucketKeys:
    """Implements :class:`nofy.ports.identity.PublicKeys` on one object of S3."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client: Any = None

    def read(self) -> list[dict[str, Any]]:
        """The published keys; IdentityUnavailableError also when there are none yet."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            body = self._connected().get_object(Bucket=self._bucket, Key=PUBLIC_KEYS)["Body"].read()
            return list(json.loads(body)["keys"])
        except (BotoCoreError, ClientError, OSError) as error:
            raise _unavailable(PUBLIC_KEYS, error) from error
        except (KeyError, TypeError, ValueError) as error:
            raise IdentityUnavailableError(f"{PUBLIC_KEYS} is no JWKS: {type(error).__name__}") from error

    def write(self, keys: list[dict[str, Any]]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        body = json.dumps({"keys": keys}).encode()
        try:
            self._connected().put_object(
                Bucket=self._bucket, Key=PUBLIC_KEYS, Body=body, ContentType="application/jwk-set+json"
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(PUBLIC_KEYS, error) from error

    def _connected(self) -> Any:
        if self._client is None:
            self._client = _client("s3")
        return self._client


def _keys(text: str | None) -> tuple[SigningKey, ...]:
    """The keys of the secret's JSON. What cannot be read is never taken for "no keys": that would replace them all."""
    try:
        return tuple(
            SigningKey(
                kid=each["kid"],
                created=datetime.fromisoformat(each["created"]),
                active_from=datetime.fromisoformat(each["active_from"]),
                private_pem=each["private_pem"],
            )
            for each in json.loads(text or "")["keys"]
        )
    except (KeyError, TypeError, ValueError) as error:
        # Without its cause, whose message would show a piece of the secret.
        raise IdentityUnavailableError(f"the signing secret cannot be read: {type(error).__name__}") from None


def _text(keys: tuple[SigningKey, ...]) -> str:
    return json.dumps(
        {
            "keys": [
                {
                    "kid": each.kid,
                    "private_pem": each.private_pem,
                    "created": each.created.isoformat(),
                    "active_from": each.active_from.isoformat(),
                }
                for each in keys
            ]
        }
    )


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(what: str, error: Exception) -> IdentityUnavailableError:
    return IdentityUnavailableError(f"{what}: {_code(error) if hasattr(error, 'response') else type(error).__name__}")


def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 2}, connect_timeout=TIMEOUT, read_timeout=TIMEOUT)
    return boto3.client(service, config=config)
