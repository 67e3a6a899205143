"""What is loaded ahead in Lambda's init phase, and that nothing is elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nofy.runtime.connections import drivers
from nofy.runtime.initialization import load_ahead
from nofy.runtime.settings import AcksSettings, DatabaseSettings, ProducerSettings, SlackSettings, load

if TYPE_CHECKING:
    from pathlib import Path

POSTGRES, REDIS = {"POSTGRES_DSN": "postgresql://x"}, {"REDIS_URL": "redis://x"}
SIGNED = ["botocore.session", "botocore.auth"]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One that nobody has loaded."""
    (tmp_path / "loaded_ahead_in_a_test.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "loaded_ahead_in_a_test", raising=False)
    return "loaded_ahead_in_a_test"


@pytest.mark.parametrize("started", ["on-demand", "provisioned-concurrency", "snap-start"])
def test_in_lambda_modules_are_loaded_ahead_however_the_function_is_started(module, monkeypatch, started):
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", started)
    load_ahead(module)
    assert module in sys.modules


def test_elsewhere_nothing_is_loaded_ahead(module, monkeypatch):
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    load_ahead(module)
    assert module not in sys.modules


def test_a_module_that_is_missing_fails_the_cold_start(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    with pytest.raises(ModuleNotFoundError, match="not_in_the_layer"):
        load_ahead("not_in_the_layer")


@pytest.mark.parametrize(
    ("kind", "environment", "expected"),
    [
        (SlackSettings, {"SLACK_API_URL": "http://x"}, []),
        (DatabaseSettings, POSTGRES, ["psycopg2.extras"]),
        (AcksSettings, POSTGRES | REDIS, ["psycopg2.extras", "redis"]),
        (ProducerSettings, POSTGRES | REDIS | {"POSTGRES_AUTH": "iam"}, ["psycopg2.extras", "redis", *SIGNED]),
        (ProducerSettings, POSTGRES | REDIS | {"REDIS_AUTH": "iam"}, ["psycopg2.extras", "redis", *SIGNED]),
    ],
)
def test_the_drivers_are_those_of_what_the_settings_connect_to_and_of_how_they_sign_in(kind, environment, expected):
    assert drivers(load(kind, environment)) == expected
