"""Handlers as Lambda loads them: a folder of their own, an environment, nothing else.

A handler's module is made anew for each test and never enters ``sys.modules``: what a test replaces in it is gone
with it.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "tests" / "events"

ENVIRONMENT = {
    "NOFY_STAGE": "test",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POSTGRES_DSN": "postgresql://nofy@127.0.0.1:1/nofy",
    "REDIS_URL": "redis://127.0.0.1:1",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "KAFKA_REPORTS_LAG": "true",
    "SENDER_FUNCTIONS": json.dumps({each: f"nofy-test-sender-{each}" for each in ("slack", "brevo", "whatsapp")}),
    "VAULT_FUNCTION": "nofy-test-vault",
    "CREDENTIALS_KEY_ID": "alias/nofy-test",
    "SIGNING_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:nofy-test",
    "SIGNING_KEYS_BUCKET": "nofy-test-keys",
    "CONSOLE_ISSUER": "nofy-test",
    "CONSOLE_URL": "https://console.example",
    "SLACK_API_URL": "http://127.0.0.1:1/slack/api",
    "BREVO_API_URL": "http://127.0.0.1:1/brevo/v3",
    "WHATSAPP_API_URL": "http://127.0.0.1:1/whatsapp/v25.0",
}


@dataclass(frozen=True)
class Context:
    """As much of Lambda's context as anybody looks at."""

    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    remaining: int = 180_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load a function's handler under the environment that the deploy gives it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return load_handler


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything that is logged while a test runs, as it leaves a function."""
    from nofy.runtime.observability import logger

    written = StringIO()
    before = [(handler, handler.setStream(written)) for handler in logger.handlers]
    yield written
    for handler, stream in before:
        handler.setStream(stream)


def load_handler(folder: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("handler", ROOT / "functions" / folder / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    """An event as AWS documents it, from ``tests/events``."""
    return dict(json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))
