"""The vault as the console invokes it: a real KMS (moto's), the providers' simulators, and a log that says nothing."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.simulators.credentials import (
    BREVO_API_KEY,
    SLACK_BOT_TOKEN,
    SLACK_WEBHOOK_PATH,
    WHATSAPP_PHONE_NUMBER_ID,
    WHATSAPP_TOKEN,
)
from local.simulators.server import Server
from nofy.adapters.aws.vault import KmsVault
from nofy.adapters.aws.vault_invoke import _read
from nofy.domain.sending import SealedCredential
from tests.functions.conftest import Context, load_handler
from tests.unit.domain.examples import INTEGRATION, PROJECT
from tests.unit.providers.tiny_server import TinyServer, free_port, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

SENDER = {"sender": {"email": "no-reply@example.com"}}
NUMBER = {"phone_number_id": WHATSAPP_PHONE_NUMBER_ID}
OTHER = UUID("01950000-0000-7000-8000-0000000000ff")


@pytest.fixture
def simulators() -> Iterator[Server]:
    with Server(port=0) as server:
        yield server


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("kms")


@pytest.fixture
def ask(function, simulators: Server, kms: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    function("dlq")
    monkeypatch.setenv("CREDENTIALS_KEY_ID", kms.create_key()["KeyMetadata"]["KeyId"])

    def asked(channel: str, settings: dict[str, Any], credential: str, url: str = simulators.url) -> dict[str, Any]:
        monkeypatch.setenv("SLACK_API_URL", f"{url}/slack/api")
        monkeypatch.setenv("BREVO_API_URL", f"{url}/brevo/v3")
        monkeypatch.setenv("WHATSAPP_API_URL", f"{url}/whatsapp/v25.0")
        module = load_handler("vault")
        event = {
            "project_id": str(PROJECT),
            "integration_id": str(INTEGRATION),
            "channel": channel,
            "settings": settings,
            "credential": credential,
        }
        return dict(json.loads(json.dumps(module.handler(json.loads(json.dumps(event)), Context()))))

    return asked


GOOD = [
    ("slack", {"kind": "bot"}, SLACK_BOT_TOKEN + "-0123456789ab12", "xoxb-…ab12"),
    ("slack", {"kind": "webhook"}, "/slack" + SLACK_WEBHOOK_PATH + "-0123456789xyz", "/services/T…/…9xyz"),
    ("email", SENDER, BREVO_API_KEY + "-0123456789f2a", "xkeysib-…9f2a"),
    ("whatsapp", NUMBER, WHATSAPP_TOKEN + "-0123456789f2a", "…9f2a"),
]


@pytest.mark.parametrize(("channel", "settings", "credential", "hint"), GOOD)
def test_what_its_provider_knows_is_sealed_for_its_place_alone(
    ask, simulators: Server, channel: str, settings: dict[str, Any], credential: str, hint: str
):
    credential = simulators.url + credential if credential.startswith("/") else credential
    told = ask(channel, settings, credential)
    assert (told["status"], told["hint"].endswith(hint), bool(told["details"])) == ("sealed", True, True)
    assert _read(json.dumps(told).encode()).hint == told["hint"]
    sealed = SealedCredential(PROJECT, INTEGRATION, 1, base64.b64decode(told["ciphertext"]))
    assert asyncio.run(KmsVault().open(sealed)) == credential
    for project, integration in ((OTHER, INTEGRATION), (PROJECT, OTHER)):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            asyncio.run(KmsVault().open(SealedCredential(project, integration, 1, sealed.ciphertext)))
    assert not simulators.application.world.inbox.accepted_by("slack")


WRONG = [
    ("slack", {"kind": "bot"}, "xoxb-wrong-secret99"),
    ("slack", {"kind": "bot"}, "secret99"),
    ("slack", {"kind": "bot"}, "xoxb-secret99\r\nx-other: 1"),
    ("slack", {"kind": "webhook"}, "http://169.254.169.254/services/T0/B0/secret99"),
    ("email", SENDER, "xkeysib-secret99"),
    ("email", {}, "xkeysib-secret99"),
    ("whatsapp", NUMBER, "secret99"),
]


@pytest.mark.parametrize(("channel", "settings", "credential"), WRONG)
def test_what_its_provider_refuses_is_not_sealed(ask, channel: str, settings: dict[str, Any], credential: str):
    told = ask(channel, settings, credential)
    assert set(told) == {"status", "reason"}
    assert told["status"] == "refused"
    assert told["reason"]


@pytest.mark.parametrize(("channel", "settings", "credential", "_"), [each for each in GOOD if each[1] != GOOD[1][1]])
def test_a_provider_that_is_not_there_is_no_refusal(ask, channel: str, settings: dict[str, Any], credential: str, _):
    assert ask(channel, settings, credential, f"http://127.0.0.1:{free_port()}")["status"] == "unavailable"


@pytest.mark.parametrize("channel", ["slack", "email", "whatsapp"])
def test_no_line_of_the_log_and_no_answer_holds_a_credential(ask, simulators: Server, logged, channel: str):
    for where, settings, given, *_ in [*GOOD, *WRONG]:
        if where == channel:
            credential = simulators.url + given if given.startswith("/") else given
            secret = credential.rpartition("/")[2]
            assert secret not in repr(ask(channel, settings, credential))
            with TinyServer([reply(401, credential.encode())]) as echo:
                assert secret not in repr(ask(channel, settings, credential, echo.url))
            assert secret not in logged.getvalue()
            assert "secret99" not in logged.getvalue()
    assert "credential checked" in logged.getvalue()


def test_a_key_that_does_not_seal_saves_nothing_and_says_nothing(ask, kms: Any, monkeypatch, logged):
    monkeypatch.setenv("CREDENTIALS_KEY_ID", "alias/not-there")
    told = ask("slack", {"kind": "bot"}, SLACK_BOT_TOKEN)
    assert told == {"status": "unavailable", "reason": "the credential cannot be sealed now"}
    assert "NotFoundException" in logged.getvalue()
    assert SLACK_BOT_TOKEN not in logged.getvalue()


def test_an_event_that_is_none_fails_without_a_word_of_it(ask, logged):
    with pytest.raises(ValueError, match="Channel"):
        ask("pigeon", {}, "secret99")
    assert "secret99" not in logged.getvalue()
