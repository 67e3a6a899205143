"""Credentials: opened once per version, and under the context they were sealed in only."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from nofy.adapters.aws import vault as module
from nofy.adapters.aws.vault import KmsVault, encryption_context, seal
from nofy.domain.sending import SealedCredential
from tests.unit.domain.examples import INTEGRATION, PROJECT

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


def test_a_credential_comes_out_as_it_went_in(sealed: SealedCredential):
    assert KmsVault().open(sealed) == "xoxb-sécret"


def test_the_ciphertext_does_not_show_the_credential(sealed: SealedCredential):
    assert b"xoxb" not in sealed.ciphertext


@pytest.mark.parametrize("elsewhere", [{"project_id": OTHER}, {"integration_id": OTHER}])
def test_a_ciphertext_opens_nowhere_but_in_its_place(sealed: SealedCredential, elsewhere: dict[str, UUID]):
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        KmsVault().open(replace(sealed, **elsewhere))


def test_the_context_names_project_and_integration():
    assert encryption_context(PROJECT, INTEGRATION) == {"project": str(PROJECT), "integration": str(INTEGRATION)}


def test_each_version_is_opened_once():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    first = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    second = SealedCredential(PROJECT, INTEGRATION, 2, b"two")
    assert [vault.open(each) for each in (first, first, second, first, second)] == (
        ["opened one", "opened one", "opened two", "opened one", "opened two"]
    )
    assert len(kms.asked) == 2


def test_a_credential_that_was_opened_for_one_project_is_not_opened_for_another_from_memory():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    mine = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    vault.open(mine)
    vault.open(replace(mine, project_id=OTHER))
    assert [each["EncryptionContext"]["project"] for each in kms.asked] == [str(PROJECT), str(OTHER)]


def test_many_calls_at_once_ask_once():
    vault, kms = KmsVault(), Counting()
    vault._client = kms
    sealed = SealedCredential(PROJECT, INTEGRATION, 1, b"one")
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: vault.open(sealed), range(200))) == {"opened one"}
    assert len(kms.asked) == 1


def test_the_memory_of_a_sender_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    vault = KmsVault()
    vault._client = Counting()
    for version in range(10):
        vault.open(SealedCredential(PROJECT, INTEGRATION, version, b"x"))
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
    with pytest.raises(TimeoutError):
        vault.open(sealed)
    assert vault.open(sealed) == "opened one"
