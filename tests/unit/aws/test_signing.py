"""Signing in by IAM: the tokens are those that AWS's own SDK makes, and each is made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import botocore.auth
import botocore.session
import pytest
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from moto import mock_aws

from nofy.adapters.aws import signing
from nofy.domain.errors import SignInError

HOST = "nofy.abc.eu-central-1.rds.amazonaws.com"
DSN = f"postgresql://nofy_api@{HOST}:5432/nofy?sslmode=verify-full&sslrootcert=/opt/certificates/rds.pem"
NOON = datetime(2026, 11, 1, 12)


class Clock:
    """botocore's, which knows no time zone and means UTC."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self, **_: Any) -> datetime:
        return self.time


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(botocore.auth, "get_current_datetime", clock)
    kept = signing._session
    kept.cache_clear()
    yield clock
    kept.cache_clear()


@pytest.fixture(params=[None, "a session's/token+="])
def session_token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's credentials have one, a person's may have none."""
    if request.param:
        monkeypatch.setenv("AWS_SESSION_TOKEN", request.param)


@pytest.mark.usefixtures("session_token")
@pytest.mark.parametrize("user", ["nofy_api", "nofy_pipeline", "a user+äé"])
def test_a_token_for_postgres_is_the_one_that_rds_makes(user: str) -> None:
    token = signing.postgres_token(f"postgresql://{user}@{HOST}:5432/nofy")()
    rds = botocore.session.get_session().create_client("rds")
    assert token == rds.generate_db_auth_token(HOST, 5432, user)


def test_a_token_for_postgres_in_full() -> None:
    """The signature was made by hand, from the words of the Signature Version 4 specification."""
    assert signing.postgres_token(DSN)() == (
        f"{HOST}:5432/?Action=connect&DBUser=nofy_api&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=testing%2F20261101%2Feu-central-1%2Frds-db%2Faws4_request"
        "&X-Amz-Date=20261101T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=2cb466e67a62e95c4118073a6329fbba9991e897b51c9f9d594a67a6e1bb697b"
    )


def test_the_port_is_signed_and_postgres_own_where_none_is_named() -> None:
    assert signing.postgres_token(f"postgresql://u@{HOST}:6543/nofy")().startswith(f"{HOST}:6543/?")
    assert signing.postgres_token(f"postgresql://u@{HOST}/nofy")().startswith(f"{HOST}:5432/?")


@pytest.mark.usefixtures("session_token")
@pytest.mark.parametrize(("serverless", "kind"), [(True, "&ResourceType=ServerlessCache"), (False, "")])
def test_a_token_for_redis_is_the_one_that_the_sdks_signer_makes(serverless: bool, kind: str) -> None:
    session = botocore.session.get_session()
    signer = RequestSigner(
        ServiceId("elasticache"),
        "eu-central-1",
        "elasticache",
        "v4",
        session.get_credentials(),
        session.get_component("event_emitter"),
    )
    asked = f"https://nofy-dev/?Action=connect&User=nofy-dev-functions{kind}"
    request = {"method": "GET", "url": asked, "body": {}, "headers": {}, "context": {}}
    expected = signer.generate_presigned_url(request, "connect", expires_in=900)
    token = signing.redis_token("nofy-dev-functions", "nofy-dev", serverless=serverless)()
    assert token == expected.removeprefix("https://")


def test_every_token_is_of_the_moment_in_which_it_is_asked_for(clock: Clock) -> None:
    token = signing.postgres_token(DSN)
    first = token()
    clock.time += timedelta(minutes=14, seconds=59)
    second = token()
    assert "X-Amz-Date=20261101T120000Z" in first
    assert "X-Amz-Date=20261101T121459Z" in second
    assert "X-Amz-Expires=900" in second


def test_a_token_is_signed_with_the_credentials_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a function that lives long are renewed under it; botocore's session does that."""
    token = signing.postgres_token(DSN)
    before = token()
    rotated = botocore.session.get_session()
    rotated.set_credentials("renewed", "secret")
    monkeypatch.setattr(signing, "_session", lambda: rotated)
    assert "X-Amz-Credential=testing%2F" in before
    assert "X-Amz-Credential=renewed%2F" in token()


@pytest.mark.parametrize("missing", ["credentials", "region"])
def test_who_has_nothing_to_sign_with_is_told_what(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    names = {"credentials": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "region": ["AWS_DEFAULT_REGION"]}
    for name in names[missing]:
        monkeypatch.delenv(name)
    with pytest.raises(SignInError, match=f"no {missing}"):
        signing.postgres_token(DSN)()


def test_making_one_asks_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection was made"))
    assert signing.redis_token("u", "nofy-dev", serverless=True)()


# The owner's password


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_the_owners_password_is_read_at_every_connection(secrets: Any) -> None:
    arn = secrets.create_secret(Name="rds!1", SecretString=json.dumps({"username": "o", "password": "first"}))["ARN"]
    password = signing.secret_password(arn)
    assert password() == "first"
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": "o", "password": "rotated"}))
    assert password() == "rotated"


@pytest.mark.parametrize("content", ["hunter2", '"hunter2"', '{"passwort": "hunter2"}', "[]"])
def test_a_secret_that_is_not_rds_own_is_refused_without_being_shown(secrets: Any, content: str) -> None:
    arn = secrets.create_secret(Name="other", SecretString=content)["ARN"]
    with pytest.raises(SignInError) as refused:
        signing.secret_password(arn)()
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_secret_that_is_not_there_is_a_failed_sign_in(secrets: Any) -> None:
    with pytest.raises(SignInError, match="ResourceNotFound"):
        signing.secret_password("arn:aws:secretsmanager:eu-central-1:123456789012:secret:none")()
