"""The function that makes the signing keys, on a secret and a bucket in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from nofy.administration.signing_keys import Rotation
from nofy.domain.errors import IdentityUnavailableError
from tests.fakes.clock import NOON, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

BUCKET = "nofy-test-keys"
DAY = timedelta(days=1).total_seconds()


class Keys:
    """The handler under a clock that a test moves, and what lies in AWS afterwards."""

    def __init__(self, module: ModuleType, context: Any, arn: str) -> None:
        self.clock = ManualClock(NOON)
        self.module, self.context, self.arn = module, context, arn
        self.rotation: Rotation = module.rotation
        self.use(clock=self.clock)

    def use(self, **others: Any) -> None:
        names = ("private", "public", "generate", "public_half", "clock")
        self.module.rotation = Rotation(**{each: getattr(self.module.rotation, each) for each in names} | others)

    def run(self, asked: dict[str, Any] | None = None) -> dict[str, Any]:
        return dict(self.module.handler(asked or {"source": "aws.scheduler"}, self.context))

    @property
    def stored(self) -> list[str]:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=self.arn, VersionStage="AWSCURRENT")[
            "SecretString"
        ]
        return [each["kid"] for each in json.loads(text)["keys"]]

    @property
    def published(self) -> list[str]:
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key="jwks.json")["Body"].read()
        return [each["kid"] for each in json.loads(body)["keys"]]


@pytest.fixture
def keys(function, context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        arn = boto3.client("secretsmanager").create_secret(Name="signing", SecretString='{"keys": [], "unused": "x"}')
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        monkeypatch.setenv("SIGNING_SECRET_ARN", arn["ARN"])
        monkeypatch.setenv("SIGNING_KEYS_BUCKET", BUCKET)
        yield Keys(function("keys"), context, arn["ARN"])


def test_the_first_run_makes_a_key_that_signs_at_once(keys: Keys):
    made = keys.run()
    assert made == {"signing": made["made"], "published": (made["made"],), "made": made["made"]}
    assert keys.stored == keys.published == [made["made"]]


def test_a_second_run_changes_nothing(keys: Keys):
    first = keys.run()
    assert keys.run({}) == first | {"made": None}
    versions = boto3.client("secretsmanager").list_secret_version_ids(SecretId=keys.arn)["Versions"]
    assert len([each for each in versions if each.get("VersionStages")]) == 2


def test_a_month_later_another_key_is_published_and_signs_a_quarter_of_an_hour_after(keys: Keys):
    old = keys.run()["made"]
    keys.clock.advance(30 * DAY)
    rotated = keys.run()
    new = rotated["made"]
    assert rotated == {"signing": old, "published": (old, new), "made": new}
    keys.clock.advance(15 * 60)
    assert keys.run() == {"signing": new, "published": (old, new), "made": None}
    keys.clock.advance(DAY)
    assert keys.run() == {"signing": new, "published": (new,), "made": None}
    assert keys.stored == keys.published == [new]


def test_a_lost_public_half_is_published_again(keys: Keys):
    made = keys.run()["made"]
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="jwks.json")
    keys.run()
    assert keys.published == [made]


class Interrupted:
    """The private keys, where another run does all its work between this one's reading and its storing."""

    def __init__(self, inner: Any, meanwhile: Any) -> None:
        self.inner, self.meanwhile = inner, meanwhile

    def read(self) -> Any:
        return self.inner.read()

    def replace(self, read: Any, new: Any) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return bool(self.inner.replace(read, new))


@pytest.mark.parametrize("days", [0, 30])
def test_two_runs_at_once_end_with_the_same_keys_stored_and_published(keys: Keys, days: int):
    if days:
        keys.run()
        keys.clock.advance(days * DAY)
    other: list[dict[str, Any]] = []
    sound = keys.module.rotation

    def meanwhile() -> None:
        keys.module.rotation, mine = sound, keys.module.rotation
        other.append(keys.run())
        keys.module.rotation = mine

    keys.use(private=Interrupted(sound.private, meanwhile))
    lost = keys.run()
    assert other[0]["made"]
    assert lost["made"] is None
    assert keys.stored == keys.published == list(other[0]["published"]) == list(lost["published"])


def test_a_new_key_is_published_before_it_is_stored(keys: Keys):
    seen: list[bool] = []

    class Watched(Interrupted):
        def replace(self, read: Any, new: Any) -> bool:
            seen.append({each.kid for each in new} <= set(keys.published))
            return bool(self.inner.replace(read, new))

    keys.use(private=Watched(keys.module.rotation.private, None))
    keys.run()
    assert seen == [True]


def test_a_run_that_dies_before_storing_leaves_a_state_the_next_one_mends(keys: Keys):
    class Dies(Interrupted):
        def replace(self, *_: Any) -> bool:
            raise IdentityUnavailableError("gone")

    sound = keys.module.rotation
    keys.use(private=Dies(sound.private, None))
    with pytest.raises(IdentityUnavailableError):
        keys.run()
    keys.module.rotation = sound
    made = keys.run()["made"]
    assert keys.stored == keys.published == [made]


def test_a_secret_nobody_can_read_fails_the_run_and_keeps_what_is_there(keys: Keys):
    boto3.client("secretsmanager").put_secret_value(SecretId=keys.arn, SecretString="scribble")
    with pytest.raises(IdentityUnavailableError):
        keys.run()
    text = boto3.client("secretsmanager").get_secret_value(SecretId=keys.arn)["SecretString"]
    assert text == "scribble"
