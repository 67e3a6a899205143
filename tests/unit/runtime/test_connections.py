"""What a function talks to: signed in to as its settings say, and on one machine exactly as the address says."""

from __future__ import annotations

import socket

import kafka
import pytest
import redis
from kafka.net.sasl import get_sasl_mechanism

from nofy.adapters.kafka.offsets import KafkaOffsets, UnreportedOffsets
from nofy.runtime import connections
from nofy.runtime.settings import Auth, DispatcherSettings, PostgresAuth, ProducerSettings, WrongSettingsError, load

LOCAL = {
    "POSTGRES_DSN": "postgresql://nofy_api:pw@127.0.0.1:1/nofy",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "KAFKA_REPORTS_LAG": "true",
}
CLOUD = LOCAL | {
    "POSTGRES_DSN": "postgresql://nofy_api@db.example:5432/nofy?sslmode=verify-full",
    "POSTGRES_AUTH": "iam",
    "REDIS_URL": "rediss://nofy-dev-functions@cache.example:6379/0",
    "REDIS_AUTH": "iam",
    "REDIS_CACHE_NAME": "nofy-dev",
    "REDIS_SERVERLESS": "true",
    "KAFKA_AUTH": "iam",
}


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up and nothing is connected to by being wired."""
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("wiring connects"))


def configured(environment: dict[str, str]) -> DispatcherSettings:
    return load(DispatcherSettings, environment)


def test_without_a_word_about_signing_in_the_addresses_say_all() -> None:
    local = configured(LOCAL)
    assert (local.postgres_auth, local.redis_auth, local.kafka_auth) == (
        PostgresAuth.ADDRESS,
        Auth.ADDRESS,
        Auth.ADDRESS,
    )
    assert connections.database(local, "test")._password is None
    index = connections.schedule(local, 1)._connection
    assert (index._password, index._cluster, index._url) == (None, False, LOCAL["REDIS_URL"])
    assert connections.bus(local)._signing_in == {}


def test_postgres_by_iam_gets_a_token_for_its_own_user_and_host() -> None:
    password = connections.database(configured(CLOUD), "test")._password
    assert password is not None
    assert password().startswith("db.example:5432/?Action=connect&DBUser=nofy_api&X-Amz-")


def test_redis_by_iam_gets_a_token_for_its_user_and_the_caches_name() -> None:
    index = connections.schedule(configured(CLOUD), 1)._connection
    assert index._cluster
    assert index._password is not None
    assert index._password().startswith(
        "nofy-dev/?Action=connect&User=nofy-dev-functions&ResourceType=ServerlessCache&"
    )


def test_the_limiter_signs_in_to_redis_as_the_schedule_does() -> None:
    limits = connections.limiter(configured(CLOUD), 0.25)._connection
    index = connections.schedule(configured(CLOUD), 0.25)._connection
    assert limits._password is not None
    assert index._password is not None
    assert limits._password().partition("X-Amz-")[0] == index._password().partition("X-Amz-")[0]
    assert (limits._url, limits._cluster, limits._timeout) == (index._url, index._cluster, index._timeout)


def test_a_replication_group_is_one_server_and_signed_as_such() -> None:
    index = connections.schedule(configured(CLOUD | {"REDIS_SERVERLESS": "false"}), 1)._connection
    assert not index._cluster
    assert index._password is not None
    assert "ResourceType" not in index._password()


def test_redis_is_asked_as_the_user_of_its_address_with_a_password_for_each_connection() -> None:
    index = connections.schedule(configured(CLOUD | {"REDIS_SERVERLESS": "false"}), 1)._connection
    client = index._connect()
    assert isinstance(client, redis.Redis)
    arguments = client.connection_pool.connection_kwargs
    assert {"username", "password"} & set(arguments) == set()
    user, token = arguments["credential_provider"].get_credentials()
    assert (user, token.split("&")[1]) == ("nofy-dev-functions", "User=nofy-dev-functions")
    assert client.connection_pool.connection_class is redis.SSLConnection


@pytest.mark.parametrize("client", ["KafkaProducer", "KafkaAdminClient"])
def test_kafka_by_iam_is_signed_in_to_over_tls(monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(kafka, client, lambda **arguments: asked.update(arguments))
    wired = connections.bus(configured(CLOUD)) if client == "KafkaProducer" else connections.offsets(configured(CLOUD))
    wired._connected()
    assert (asked["security_protocol"], asked["sasl_mechanism"]) == ("SASL_SSL", "AWS_MSK_IAM")
    assert asked["bootstrap_servers"] == CLOUD["KAFKA_BOOTSTRAP"]


def test_kafka_python_knows_the_mechanism_and_signs_with_botocore_alone() -> None:
    signed = get_sasl_mechanism("AWS_MSK_IAM")(security_protocol="SASL_SSL", host="b-1.example").auth_bytes()
    assert b'"action":"kafka-cluster:Connect"' in signed
    assert b'"x-amz-credential":"testing/' in signed
    assert b'/eu-central-1/kafka-cluster/aws4_request"' in signed


@pytest.mark.parametrize(("reports", "kind"), [("true", KafkaOffsets), ("false", UnreportedOffsets)])
def test_a_broker_that_cannot_report_its_lag_is_not_asked_for_it(reports: str, kind: type) -> None:
    assert type(connections.offsets(configured(LOCAL | {"KAFKA_REPORTS_LAG": reports}))) is kind


@pytest.mark.parametrize(
    ("way", "without", "told"),
    [
        ("_postgres_password", {"POSTGRES_AUTH": "secret"}, "POSTGRES_SECRET_ARN is not set"),
        ("_redis_password", {"REDIS_CACHE_NAME": None}, "REDIS_CACHE_NAME is not set"),
        ("_redis_password", {"REDIS_URL": "rediss://cache.example:6379/0"}, "the user in REDIS_URL is not set"),
    ],
)
def test_what_only_this_way_of_signing_in_needs_is_named(way: str, without: dict[str, str | None], told: str) -> None:
    environment = {name: value for name, value in (CLOUD | without).items() if value is not None}
    with pytest.raises(WrongSettingsError, match=told):
        getattr(connections, way)(configured(environment))


@pytest.mark.parametrize("missing", ["SIGNING_KEYS_BUCKET", "CONSOLE_ISSUER"])
def test_without_keys_and_an_issuer_no_console_token_is_believed(missing: str) -> None:
    people = {"SIGNING_KEYS_BUCKET": "keys", "CONSOLE_ISSUER": "nofy-dev"}
    assert connections.console_tokens(load(ProducerSettings, LOCAL | people)) is not None
    del people[missing]
    assert connections.console_tokens(load(ProducerSettings, LOCAL | people)) is None
