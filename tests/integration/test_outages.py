"""What the producer answers while something behind it is away."""

from __future__ import annotations

import json
import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from nofy.domain import tokens
from nofy.domain.tokens import Mode
from tests.contract.stores import as_role
from tests.functions.conftest import ENVIRONMENT, Context, event, load_handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.stores import PostgresBackend


class Producer:
    """The producer's handler on real servers, and a project's token."""

    def __init__(self, postgres: PostgresBackend, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._postgres = postgres
        settings = ENVIRONMENT | {"POSTGRES_DSN": as_role(postgres.owner_dsn, "nofy_api"), "REDIS_URL": redis_url}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        self.module = load_handler("producer")
        self._token = tokens.generate(Mode.LIVE, secrets.choice)
        project = postgres.project()
        postgres.superuser.run(
            "UPDATE api_keys SET token_hash = %(hash)s WHERE id = %(id)s",
            {"hash": tokens.digest(self._token), "id": project.principal.actor.actor_id},
        )

    def post(self) -> tuple[int, dict[str, Any]]:
        request = event("api_post_notification")
        request["headers"] = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request["multiValueHeaders"] = {name: [value] for name, value in request["headers"].items()}
        body = {"to": {"slack_channel": "C0DEMO"}, "channels": ["slack"], "content": {"text": "still here"}}
        request["body"] = json.dumps(body)
        answer = self.module.handler(request, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def rows(self) -> int:
        return int(self._postgres.superuser.run("SELECT count(*) FROM notifications")[0][0])

    def close(self) -> None:
        self.module.database.close()
        self.module.schedule.close()


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A Redis that takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@pytest.mark.parametrize("away", ["refused", "silent"])
def test_without_redis_a_notification_is_still_accepted_within_a_second(
    postgres: PostgresBackend, black_hole: str, monkeypatch: pytest.MonkeyPatch, away: str
):
    producer = Producer(postgres, black_hole if away == "silent" else "redis://127.0.0.1:1/0", monkeypatch)
    began = time.monotonic()
    status, document = producer.post()
    elapsed = time.monotonic() - began
    producer.close()
    assert (status, document["status"]) == (202, "scheduled")
    assert producer.rows() == 1
    assert elapsed < 1


def test_without_postgres_nothing_is_accepted_and_afterwards_everything_is(
    postgres: PostgresBackend, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    producer = Producer(postgres, redis_url, monkeypatch)
    assert producer.post()[0] == 202
    try:
        postgres.superuser.run("ALTER ROLE nofy_api NOLOGIN")
        postgres.superuser.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nofy_api'")
        for _ in range(2):  # on the connection that broke, and on none
            status, problem = producer.post()
            assert (status, problem["code"]) == (503, "temporarily_unavailable")
        assert producer.rows() == 1
    finally:
        postgres.superuser.run("ALTER ROLE nofy_api LOGIN")
    assert producer.post()[0] == 202
    assert producer.rows() == 2
    producer.close()
