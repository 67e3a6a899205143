from __future__ import annotations

import os

import boto3

from local.environment import aws_environment, clean_environment, isolate

USERS = {
    "PATH": "/bin",
    "HOME": "/home/ada",
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_KMS": "https://kms.us-east-1.amazonaws.com",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/admin",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials",
}


def test_nothing_of_the_users_aws_setup_reaches_a_child():
    env = clean_environment(USERS)
    assert {name for name in env if name in USERS} == {"PATH", "HOME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert env["AWS_ACCESS_KEY_ID"] == env["AWS_SECRET_ACCESS_KEY"] == "test"
    assert env["HOME"] != USERS["HOME"]


def test_profiles_and_the_metadata_service_are_out_of_reach():
    env = clean_environment(USERS)
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert env["AWS_EC2_METADATA_DISABLED"] == "true"


def test_every_service_is_at_the_emulator():
    env = aws_environment("http://127.0.0.1:1")
    assert env["AWS_ENDPOINT_URL"] == env["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:1"


def test_isolating_a_process_replaces_what_it_inherited():
    env = dict(USERS)
    isolate(env, "http://127.0.0.1:1")
    left = {name for name in env if name.startswith("AWS_") and env[name] == USERS.get(name)}
    assert left == set()
    assert "AWS_ENDPOINT_URL_KMS" not in env


def test_an_isolated_process_makes_clients_of_the_emulator_even_with_a_profile_set(monkeypatch):
    for name, value in USERS.items():
        monkeypatch.setenv(name, value)
    environ = dict(os.environ)
    isolate(environ, "http://127.0.0.1:1")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = boto3.Session().client("kms")
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
