"""Settings: a function never runs half-configured."""

from __future__ import annotations

import pytest

from nofy.runtime.settings import (
    AcksSettings,
    Auth,
    ConsumerSettings,
    DatabaseSettings,
    DispatcherSettings,
    PostgresAuth,
    ProducerSettings,
    WrongSettingsError,
    load,
)

SOUND = {
    "POSTGRES_DSN": "postgresql://nofy@db/nofy",
    "REDIS_URL": "rediss://cache:6379",
    "KAFKA_BOOTSTRAP": "b-1:9098",
    "KAFKA_REPORTS_LAG": "true",
    "SENDER_FUNCTIONS": '{"slack": "nofy-dev-sender-slack"}',
}


def test_a_field_is_read_from_the_variable_of_its_name():
    usual = AcksSettings(postgres_dsn=SOUND["POSTGRES_DSN"], redis_url=SOUND["REDIS_URL"])
    assert vars(load(AcksSettings, SOUND)) == vars(usual)


def test_settings_show_no_address_because_it_may_hold_a_password():
    assert SOUND["POSTGRES_DSN"] not in repr(load(AcksSettings, SOUND))


def test_flags_and_names_are_read_as_what_they_are():
    assert load(DispatcherSettings, SOUND).kafka_reports_lag is True
    assert load(DispatcherSettings, SOUND | {"KAFKA_REPORTS_LAG": "false"}).kafka_reports_lag is False
    assert load(ConsumerSettings, SOUND).sender_functions == {"slack": "nofy-dev-sender-slack"}


def test_who_is_let_in_besides_api_tokens_may_be_said_and_need_not():
    silent = load(ProducerSettings, SOUND)
    assert (silent.signing_keys_bucket, silent.console_issuer, silent.cors_origins) == (None, None, ())
    said = {"CORS_ORIGINS": "https://a.example, https://b.example:8443,", "CONSOLE_ISSUER": "nofy-dev"}
    told = load(ProducerSettings, SOUND | said)
    assert told.cors_origins == ("https://a.example", "https://b.example:8443")


def test_a_function_asks_for_nothing_it_does_not_need():
    assert load(DatabaseSettings, {"POSTGRES_DSN": "postgresql://x"}).postgres_dsn == "postgresql://x"


def test_how_to_sign_in_is_optional_and_the_address_says_it_otherwise():
    plain = load(AcksSettings, SOUND)
    assert (plain.postgres_auth, plain.redis_auth) == (PostgresAuth.ADDRESS, Auth.ADDRESS)
    assert (plain.postgres_secret_arn, plain.redis_cache_name, plain.redis_serverless) == (None, None, False)


def test_how_to_sign_in_is_read_as_what_it_is():
    cloud = SOUND | {"POSTGRES_AUTH": "secret", "POSTGRES_SECRET_ARN": "arn", "KAFKA_AUTH": "iam"}
    read = load(DispatcherSettings, cloud | {"REDIS_SERVERLESS": "true", "REDIS_CACHE_NAME": "nofy-dev"})
    assert (read.postgres_auth, read.postgres_secret_arn) == (PostgresAuth.SECRET, "arn")
    assert (read.kafka_auth, read.redis_serverless, read.redis_cache_name) == (Auth.IAM, True, "nofy-dev")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("POSTGRES_AUTH", "IAM", "none of address, iam, secret"),
        ("REDIS_AUTH", "secret", "none of address, iam"),
        ("KAFKA_AUTH", "", "none of address, iam"),
        ("REDIS_CACHE_NAME", "", "empty"),
        ("POSTGRES_SECRET_ARN", "", "empty"),
        ("REDIS_SERVERLESS", "yes", "neither true nor false"),
    ],
)
def test_a_wrong_way_to_sign_in_is_named(variable: str, value: str, told: str):
    with pytest.raises(WrongSettingsError) as wrong:
        load(DispatcherSettings, SOUND | {variable: value})
    assert str(wrong.value) == f"{variable} is wrong: {told}"


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(WrongSettingsError) as wrong:
        load(DispatcherSettings, {"REDIS_URL": "redis://x"})
    assert str(wrong.value) == ("POSTGRES_DSN is not set; KAFKA_BOOTSTRAP is not set; KAFKA_REPORTS_LAG is not set")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"POSTGRES_DSN": ""}, "POSTGRES_DSN is wrong: empty"),
        ({"SENDER_FUNCTIONS": "[]"}, "SENDER_FUNCTIONS is wrong: not a JSON object"),
        ({"SENDER_FUNCTIONS": "slack=x"}, "SENDER_FUNCTIONS is wrong: Expecting value"),
        ({"SENDER_FUNCTIONS": ""}, "SENDER_FUNCTIONS is wrong"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(changed: dict[str, str], told: str):
    with pytest.raises(WrongSettingsError, match=told.replace("[", r"\[")):
        load(ConsumerSettings, SOUND | changed)


def test_each_lanes_target_is_read_and_need_not_be_told():
    assert load(DispatcherSettings, SOUND).target_lag == {}
    told = SOUND | {"TARGET_LAG": '{"email.low": 6000}'}
    assert load(DispatcherSettings, told).target_lag == {"email.low": 6_000}


@pytest.mark.parametrize("value", ["[]", '{"email.low": "6000"}', '{"email.low": 0}', '{"email.low": true}'])
def test_a_target_is_a_whole_number_above_zero(value: str):
    with pytest.raises(WrongSettingsError, match="TARGET_LAG is wrong: not a JSON object of whole numbers above 0"):
        load(DispatcherSettings, SOUND | {"TARGET_LAG": value})


@pytest.mark.parametrize("flag", ["", "yes", "1", "True", " true"])
def test_a_flag_is_true_or_false_and_nothing_like_it(flag: str):
    with pytest.raises(WrongSettingsError, match="KAFKA_REPORTS_LAG is wrong: neither true nor false"):
        load(DispatcherSettings, SOUND | {"KAFKA_REPORTS_LAG": flag})


def test_missing_and_wrong_variables_are_told_together():
    with pytest.raises(WrongSettingsError) as wrong:
        load(AcksSettings, {"POSTGRES_DSN": ""})
    assert str(wrong.value) == "POSTGRES_DSN is wrong: empty; REDIS_URL is not set"


def test_a_wrong_value_is_not_repeated_since_it_may_hold_a_password():
    with pytest.raises(WrongSettingsError) as wrong:
        load(DispatcherSettings, SOUND | {"KAFKA_REPORTS_LAG": "hunter2"})
    assert "hunter2" not in str(wrong.value)
