"""The hop from the console to the vault: one invoke, and a credential that is in no error and no log."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from nofy.adapters.aws import vault_invoke as module
from nofy.adapters.aws.vault_invoke import LambdaVault
from nofy.domain.errors import CredentialRefusedError, ProviderUnavailableError
from nofy.domain.routing import Channel
from nofy.ports.accounts import CheckedCredential
from tests.unit.domain.examples import INTEGRATION, PROJECT
from tests.unit.providers.tiny_server import CLOSE, RESET, SILENCE, TinyServer, free_port, reply

SECRET = "xoxb-secret"
SEALED = {
    "status": "sealed",
    "ciphertext": base64.b64encode(b"\x00\xffsealed").decode(),
    "hint": "xoxb-…et",
    "details": {"team": "Grüße"},
}


def told(document: Any) -> bytes:
    return reply(200, json.dumps(document).encode())


def seal(monkeypatch: pytest.MonkeyPatch, url: str) -> CheckedCredential:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
    vault = LambdaVault("nofy-dev-vault")
    return vault.check_and_seal(PROJECT, INTEGRATION, Channel.SLACK, {"kind": "bot"}, SECRET)


def test_a_credential_goes_to_the_vault_with_its_place_and_comes_back_sealed(monkeypatch):
    with TinyServer([told(SEALED)]) as server:
        assert seal(monkeypatch, server.url) == CheckedCredential(b"\x00\xffsealed", "xoxb-…et", {"team": "Grüße"})
        (asked,) = server.asked
    assert asked.line == "POST /2015-03-31/functions/nofy-dev-vault/invocations HTTP/1.1"
    assert asked.json == {
        "project_id": str(PROJECT),
        "integration_id": str(INTEGRATION),
        "channel": "slack",
        "settings": {"kind": "bot"},
        "credential": SECRET,
    }


def test_a_refusal_comes_with_its_reason(monkeypatch):
    answer = told({"status": "refused", "reason": "Slack says invalid_auth"})
    with TinyServer([answer]) as server, pytest.raises(CredentialRefusedError) as raised:
        seal(monkeypatch, server.url)
    assert str(raised.value) == "Slack says invalid_auth"


def test_a_provider_that_cannot_be_asked_is_told_as_that(monkeypatch):
    answer = told({"status": "unavailable", "reason": "Slack answers HTTP 503"})
    with TinyServer([answer]) as server, pytest.raises(ProviderUnavailableError) as raised:
        seal(monkeypatch, server.url)
    assert str(raised.value) == "Slack answers HTTP 503"
    assert raised.value.retry_after > 0


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        CLOSE,
        SILENCE,
        reply(429, b'{"message": "xoxb-secret"}', x_amzn_ErrorType="TooManyRequestsException"),
        reply(404, b'{"message": "xoxb-secret"}', x_amzn_ErrorType="ResourceNotFoundException"),
        reply(500, b'{"message": "xoxb-secret"}', x_amzn_ErrorType="ServiceException"),
        # The vault failed, and its error repeats what it was given.
        reply(200, b'{"errorMessage": "bad header: xoxb-secret"}', X_Amz_Function_Error="Unhandled"),
        reply(200, b"xoxb-secret"),
        reply(200, b"[" * 100_000),
        told(None),
        told({"status": "sealed", "secret": SECRET}),
        told(SEALED | {"ciphertext": "no base64: xoxb-secret"}),
        told({"status": "refused", "reason": None}),
        told({"status": "from the future", "reason": SECRET}),
    ],
)
def test_whatever_else_happens_nothing_was_saved_and_nothing_is_told_of_it(monkeypatch, caplog, answer: bytes):
    monkeypatch.setattr(module, "VAULT_READ_TIMEOUT", 0.2)
    with TinyServer([answer]) as server:
        with pytest.raises(ProviderUnavailableError) as raised:
            seal(monkeypatch, server.url)
        assert len(server.asked) == 1, "nobody asks again"
    assert str(raised.value) == "the credential cannot be checked now"
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert SECRET not in caplog.text


def test_a_lambda_that_is_not_there_saves_nothing(monkeypatch):
    with pytest.raises(ProviderUnavailableError):
        seal(monkeypatch, f"http://127.0.0.1:{free_port()}")
