"""The signing keys where they lie: a secret that two runs cannot overwrite, and a public object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from nofy.adapters.aws.keys import BucketKeys, RememberedKeys, SecretKeys
from nofy.domain.errors import IdentityUnavailableError
from nofy.domain.signing_keys import SigningKey
from nofy.ports.identity import KeyRing
from tests.fakes.clock import NOON, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = SigningKey("one", NOON, NOON, "pem one")
TWO = SigningKey("two", NOON, NOON, "pem two")


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.fixture
def arn(aws: Any) -> str:
    """As the templates make it."""
    return str(aws.create_secret(Name="signing", SecretString='{"keys": [], "unused": "x"}')["ARN"])


def test_a_new_secret_has_no_keys_and_a_version(arn: str):
    read = SecretKeys(arn).read()
    assert read.keys == ()
    assert read.version


def test_what_is_stored_is_read_again(arn: str):
    secret = SecretKeys(arn)
    assert secret.replace(secret.read(), (ONE, TWO))
    assert SecretKeys(arn).read().keys == (ONE, TWO)


def test_of_two_that_read_the_same_one_alone_stores(arn: str, aws: Any):
    secret = SecretKeys(arn)
    read = secret.read()
    assert secret.replace(read, (ONE,))
    assert not secret.replace(read, (TWO,))
    assert secret.read().keys == (ONE,)
    assert secret.replace(secret.read(), (ONE, TWO))
    versions = aws.list_secret_version_ids(SecretId=arn)["Versions"]
    assert sorted(label for each in versions for label in each["VersionStages"]) == ["AWSCURRENT", "AWSPREVIOUS"]


def test_a_secret_without_any_version_takes_its_first(aws: Any):
    arn = aws.create_secret(Name="empty")["ARN"]
    secret = SecretKeys(arn)
    assert secret.read() == KeyRing(None, ())
    assert secret.replace(secret.read(), (ONE,))
    assert secret.read().keys == (ONE,)


@pytest.mark.parametrize("text", ["", "hunter2", "[]", "{}", '{"keys": [{"kid": "hunter2"}]}', '{"keys": 7}'])
def test_what_cannot_be_read_is_not_taken_for_no_keys_and_not_shown(aws: Any, text: str):
    arn = aws.create_secret(Name="broken", SecretString=text or " ")["ARN"]
    with pytest.raises(IdentityUnavailableError) as unavailable:
        SecretKeys(arn).read()
    assert "hunter2" not in str(unavailable.value)
    assert unavailable.value.__cause__ is None


def test_a_signer_reads_again_after_five_minutes_and_never_remembers_nothing():
    clock, answers = ManualClock(), [(), (ONE,), (TWO,)]
    remembered = RememberedKeys(lambda: KeyRing("v", answers.pop(0)), clock)
    assert remembered() == ()
    assert remembered() == (ONE,)
    clock.advance(299)
    assert remembered() == (ONE,)
    clock.advance(1)
    assert remembered() == (TWO,)


def test_public_keys_are_read_as_they_were_written(aws: Any):
    boto3.client("s3").create_bucket(Bucket="keys", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    bucket = BucketKeys("keys")
    with pytest.raises(IdentityUnavailableError):
        bucket.read()
    bucket.write([{"kid": "one"}])
    assert BucketKeys("keys").read() == [{"kid": "one"}]
    stored = boto3.client("s3").get_object(Bucket="keys", Key="jwks.json")
    assert stored["ContentType"] == "application/jwk-set+json"
    assert json.loads(stored["Body"].read()) == {"keys": [{"kid": "one"}]}


@pytest.mark.parametrize("text", [b"<html>", b"[]", b"{}"])
def test_an_object_that_is_no_jwks_is_no_keys(aws: Any, text: bytes):
    boto3.client("s3").create_bucket(Bucket="keys", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    boto3.client("s3").put_object(Bucket="keys", Key="jwks.json", Body=text)
    with pytest.raises(IdentityUnavailableError):
        BucketKeys("keys").read()
    with pytest.raises(IdentityUnavailableError):
        BucketKeys("elsewhere").write([])
