"""Credentials: opened once per version, and under the context they were sealed in only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from nofy.adapters.aws import vault as module
from nofy.adapters.aws.vault import KmsVault, encryption_context, seal
from nofy.domain.sending import SealedCredential
from tests.unit.domain.examples import INTEGRATION, PROJECT
from tests.unit.providers.tiny_server import SILENCE, TinyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = UUID("01950000-0000-7000-8000-0000000000ff")


@pytest.fixture
def kms() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms")


@pytest.fixture
def sealed(kms: Any) -> SealedCredential:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return SealedCredential(PROJECT, INTEGRATION, 1, seal(kms, key, PROJECT, INTEGRATION, "xoxb-sécret"))


class Counting:
    """A KMS that counts what it is asked; its plaintext tells what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def decrypt(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"Plaintext": b"opened " + asked["CiphertextBlob"]}


def opened(vault: KmsVault, *sealed: SealedCredential) -> list[Any]:
    """What comes of each, asked for at once: its credential, or an error."""

    async def everybody() -> list[Any]:
        return await asyncio.gather(*map(vault.open, sealed), return_exceptions=True)

    return asyncio.run(everybody())


def test_a_credential_comes_out_as_it_went_in(sealed: SealedCredential):
    assert opened(KmsVault(), sealed) == ["xoxb-sécret"]


def test_the_ciphertext_does_not_show_the_credential(sealed: SealedCredential):
    assert b"xoxb" not in sealed.ciphertext


@pytest.mark.parametrize("elsewhere", [{"project_id": OTHER}, {"integration_id": OTHER}])
def test_a_ciphertext_opens_nowhere_but_in_its_place(sealed: SealedCredential, elsewhere: dict[str, UUID]):
    (refused,) = opened(KmsVault(), replace(sealed, **elsewhere))
    assert isinstance(refused, ClientError)
    assert "InvalidCiphertext" in str(refused)


def test_the_context_names_project_and_integration():
    assert encryption_context(PROJECT, INTEGRATION) == {"project": str(PROJECT), "integration": str(INTEGRATION)}


def test_each_version_is_opened_once():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    first = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    second = SealedCredential(PROJECT, INTEGRATION, 2, b"two")
    assert [opened(vault, each) for each in (first, first, second, first, second)] == (
        [["opened one"], ["opened one"], ["opened two"], ["opened one"], ["opened two"]]
    )
    assert len(kms.asked) == 2


def test_a_credential_that_was_opened_for_one_project_is_not_opened_for_another_from_memory():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    mine = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    opened(vault, mine)
    opened(vault, replace(mine, project_id=OTHER))
    assert [each["EncryptionContext"]["project"] for each in kms.asked] == [str(PROJECT), str(OTHER)]


def test_many_calls_at_once_ask_once():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    sealed = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    assert set(opened(vault, *[sealed] * 200)) == {"opened one"}
    assert len(kms.asked) == 1


def test_many_calls_at_once_share_the_error_too_instead_of_waiting_for_one_another():
    class Refusing(Counting):
        def decrypt(self, **asked: Any) -> dict[str, Any]:
            super().decrypt(**asked)
            raise TimeoutError

    vault, kms = KmsVault(), Refusing()
    vault._client = kms
    found = opened(vault, *[SealedCredential(PROJECT, INTEGRATION, 1, b"one")] * 8)
    assert [type(each) for each in found] == [TimeoutError] * 8
    assert len(kms.asked) == 1


def test_a_credential_that_is_slow_to_open_does_not_hold_up_the_others():
    class Slow(Counting):
        def decrypt(self, **asked: Any) -> dict[str, Any]:
            if asked["CiphertextBlob"] == b"slow":
                assert opened_the_other.wait(5)
            return super().decrypt(**asked)

    async def story() -> None:
        slow = asyncio.create_task(vault.open(SealedCredential(PROJECT, INTEGRATION, 1, b"slow")))
        assert await vault.open(SealedCredential(PROJECT, INTEGRATION, 2, b"quick")) == "opened quick"
        opened_the_other.set()
        assert await slow == "opened slow"

    opened_the_other = Event()
    vault = KmsVault()
    vault._client = Slow()
    asyncio.run(story())


def test_a_kms_that_does_not_answer_is_given_up_long_before_the_sender_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "VAULT_TIMEOUT", 0.2)
    with TinyServer([SILENCE]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", server.url)
        (given_up,) = opened(KmsVault(), SealedCredential(PROJECT, INTEGRATION, 1, b"one"))
        assert isinstance(given_up, ReadTimeoutError)
        assert len(server.asked) == 1


def test_the_memory_of_a_sender_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    vault = KmsVault()
    vault._client = Counting()
    for version in range(10):
        opened(vault, SealedCredential(PROJECT, INTEGRATION, version, b"x"))
    assert len(vault._opened) == 3


def test_what_could_not_be_opened_is_asked_for_again():
    class Shaky(Counting):
        def decrypt(self, **asked: Any) -> dict[str, Any]:
            answer = super().decrypt(**asked)
            if len(self.asked) == 1:
                raise TimeoutError
            return answer

    vault = KmsVault()
    vault._client = Shaky()
    sealed = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    assert isinstance(opened(vault, sealed)[0], TimeoutError)
    assert opened(vault, sealed) == ["opened one"]
