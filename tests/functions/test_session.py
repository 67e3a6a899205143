"""Signing in: AppWrite's word (its simulator's) against a console token that verifies."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from moto import mock_aws

from local.simulators.server import Server
from nofy.adapters.aws.keys import BucketKeys
from nofy.adapters.jose.verifying import ConsoleTokens
from nofy.domain.ids import Prefix, encode
from nofy.runtime import clock
from nofy.runtime.settings import SessionSettings, WrongSettingsError, load
from tests.functions.conftest import event

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "nofy-test-keys"
POST = event("api_post_notification")
PROJECT = {"X-Appwrite-Project": "nofy-local"}
ADA = {"email": "ada@example.com", "password": "nofy-local-ada"}


class Console:
    """A browser, AppWrite and the function."""

    def __init__(self, module: Any, context: Any, appwrite: Server) -> None:
        self.module, self.context, self.appwrite = module, context, appwrite
        self.http = urllib3.PoolManager(retries=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.http.request(method, self.appwrite.url + path, json=body, headers=headers)

    def jwt(self, **body: Any) -> str:
        signed_in = self.call("POST", "/appwrite/v1/account/sessions/email", ADA, **PROJECT)
        self.cookie = signed_in.headers["Set-Cookie"].split(";")[0]
        made = self.call("POST", "/appwrite/v1/account/jwts", body, Cookie=self.cookie, **PROJECT)
        return str(made.json()["jwt"])

    def control(self, path: str, **body: Any) -> None:
        assert self.call("POST", f"/_control/{path}", body).status in (200, 201)

    def ask(self, body: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        asked = deepcopy(POST) | {"path": "/v1/session", "multiValueHeaders": None, "headers": {}}
        asked["body"] = body if isinstance(body, str) else json.dumps(body)
        raw = self.module.handler(asked, self.context)
        headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        return raw["statusCode"], json.loads(raw["body"]), headers

    def refused(self, body: Any) -> tuple[int, str]:
        status, document, headers = self.ask(body)
        assert headers["Content-Type"] == "application/problem+json"
        return status, document["code"]


@pytest.fixture
def console(function, context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with Server(port=0) as appwrite, mock_aws():
        arn = boto3.client("secretsmanager").create_secret(Name="signing", SecretString='{"keys": []}')["ARN"]
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        monkeypatch.setenv("SIGNING_SECRET_ARN", arn)
        monkeypatch.setenv("SIGNING_KEYS_BUCKET", BUCKET)
        monkeypatch.setenv("CONSOLE_ISSUER", "nofy-test")
        monkeypatch.setenv("APPWRITE_ENDPOINT", f"{appwrite.url}/appwrite/v1")
        monkeypatch.setenv("APPWRITE_PROJECT", "nofy-local")
        function("keys").handler({}, context)
        console = Console(function("session"), context, appwrite)
        yield console
        console.http.clear()
        console.module.fetcher.close()


def test_a_jwt_of_appwrite_buys_a_console_token_that_verifies(console: Console):
    status, document, headers = console.ask({"jwt": console.jwt()})
    assert (status, document["token_type"], headers["Cache-Control"]) == (201, "Bearer", "no-store")
    identity = ConsoleTokens(BucketKeys(BUCKET).read, "nofy-test", clock.now).verify(document["token"])
    assert identity.issuer == f"appwrite:{console.appwrite.url}/appwrite/v1/nofy-local"
    shown = {"id": encode(Prefix.USER, identity.user_id), "email": "ada@example.com", "name": "Ada"}
    assert document["user"] == shown
    assert document["user"]["id"].startswith("usr_")
    assert document["expires_at"].endswith("+00:00")


def test_the_same_person_is_the_same_user_every_time(console: Console):
    assert console.ask({"jwt": console.jwt()})[1]["user"] == console.ask({"jwt": console.jwt()})[1]["user"]


def test_who_is_blocked_unverified_or_signed_out_is_told_which(console: Console):
    jwt = console.jwt()
    console.control("appwrite/users", email="ada@example.com", verified=False)
    assert console.refused({"jwt": jwt}) == (403, "email_unverified")
    console.control("appwrite/users", email="ada@example.com", verified=True, blocked=True)
    assert console.refused({"jwt": jwt}) == (403, "user_blocked")
    console.control("appwrite/users", email="ada@example.com", blocked=False, password_reset=True)
    assert console.refused({"jwt": jwt}) == (403, "password_reset_required")
    console.control("appwrite/users", email="ada@example.com", password_reset=False)
    console.call("DELETE", "/appwrite/v1/account/sessions/current", Cookie=console.cookie, **PROJECT)
    assert console.refused({"jwt": jwt}) == (401, "signed_out")


def test_an_altered_or_expired_jwt_is_refused(console: Console):
    jwt = console.jwt(duration=0)
    assert console.refused({"jwt": jwt}) == (401, "sign_in_invalid")
    head, _, tail = console.jwt().rpartition(".")
    assert console.refused({"jwt": f"{head}.{tail[::-1]}"}) == (401, "sign_in_invalid")


@pytest.mark.parametrize("fault", ["500", "503", "html503", "throttle", "reset", "hangup"])
def test_an_appwrite_that_cannot_be_asked_lets_nobody_in_and_refuses_nobody(console: Console, fault: str):
    jwt = console.jwt()
    console.control("faults", recipient="*", channel="appwrite", script=[fault])
    assert console.refused({"jwt": jwt}) == (503, "identity_unavailable")
    assert console.ask({"jwt": jwt})[0] == 201


def test_a_wrong_project_is_our_mistake_and_says_nothing_of_it(console: Console):
    jwt = console.jwt()
    console.control("faults", recipient="*", channel="appwrite", script=["config"])
    status, document, _ = console.ask({"jwt": jwt})
    assert (status, document["code"]) == (500, "internal_error")
    assert "project" not in json.dumps(document).lower()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("", "exactly_one")]),
        ({"jwt": None}, [("", "exactly_one")]),
        ({"jwt": "a.b.c", "id_token": "a.b.c"}, [("", "exactly_one")]),
        ({"id_token": "a.b.c"}, [("/id_token", "not_configured")]),
        ({"jwt": "a.b.c", "role": "owner"}, [("/role", "unknown_field")]),
        ({"role": "owner"}, [("", "exactly_one"), ("/role", "unknown_field")]),
        ({"jwt": "a.b"}, [("/jwt", "invalid")]),
        ({"jwt": "a.b.c\r\nX-Evil: 1"}, [("/jwt", "invalid")]),
        ({"jwt": 7}, [("/jwt", "invalid")]),
        ({"jwt": "a.b." + "c" * 8_190}, [("/jwt", "too_long")]),
    ],
)
def test_every_error_in_the_body_is_told_at_once(console: Console, body: Any, errors: list[tuple[str, str]]):
    status, document, _ = console.ask(body)
    assert (status, [(each["path"], each["code"]) for each in document["errors"]]) == (422, errors)


@pytest.mark.parametrize("body", ["", "{", "[" * 100 + "]" * 100])
def test_a_body_that_is_no_json_is_refused(console: Console, body: str):
    assert console.refused(body) == (400, "malformed_json")


def test_a_body_that_is_no_object_is_refused(console: Console):
    assert console.refused("[]") == (422, "invalid_request")


def test_without_a_signing_key_nobody_is_signed_in(console: Console):
    console.module.keys._read = lambda: type("Ring", (), {"keys": ()})
    assert console.refused({"jwt": console.jwt()}) == (503, "identity_unavailable")


SOUND = {"SIGNING_SECRET_ARN": "arn", "CONSOLE_ISSUER": "nofy-test"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"APPWRITE_ENDPOINT": "http://x"}, "APPWRITE_ENDPOINT and APPWRITE_PROJECT belong together"),
        ({"OIDC_AUDIENCE": "x"}, "OIDC_ISSUER and OIDC_AUDIENCE belong together"),
    ],
)
def test_half_a_sign_in_service_fails_the_cold_start(changes: dict[str, str], told: str):
    with pytest.raises(WrongSettingsError, match=told):
        load(SessionSettings, SOUND | changes)


def test_nobody_may_vouch_for_people_either():
    assert load(SessionSettings, SOUND).appwrite_endpoint is None
