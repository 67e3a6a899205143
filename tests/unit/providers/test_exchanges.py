"""What an attempt may show of its call: what was asked and answered, and nothing that is anybody's secret."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from local.simulators.credentials import SLACK_WEBHOOK_PATH
from nofy.adapters.providers.brevo import BrevoClient
from nofy.adapters.providers.http import HttpClient
from nofy.adapters.providers.slack import SlackClient
from nofy.adapters.providers.whatsapp import WhatsAppClient
from nofy.domain import outcomes
from nofy.domain.outcomes import Exchange
from tests.unit.domain.examples import message
from tests.unit.providers.tiny_server import CLOSE, TinyServer, free_port, reply

SECRET = "xoxb-very-secret-credential"
TOLD = "Meet me at noon"
BREVO = message(content={"subject": TOLD, "html": TOLD}, settings={"sender": {"email": "a@example.com"}})
WHATSAPP = message(content={"text": TOLD}, settings={"phone_number_id": "1234"})
SLACK = message(content={"text": TOLD}, settings={})


async def called(client: Any, url: str, asked: Any, credential: str) -> Any:
    http = HttpClient()
    try:
        return await client(url, http).call(asked, credential)
    finally:
        await http.close()


def exchange(client: Any, asked: Any, server: TinyServer, credential: str = SECRET) -> Exchange:
    outcome = asyncio.run(called(client, server.url, asked, credential))
    assert outcome.exchange is not None
    told = json.dumps(outcomes.to_json(outcome)["exchange"])
    assert SECRET not in told
    assert TOLD not in told
    return replace(outcome.exchange, duration_ms=0)


@pytest.mark.parametrize(
    ("client", "asked", "status", "answer", "told"),
    [
        (BrevoClient, BREVO, 201, {"messageId": "<m1>"}, ("/smtp/email", 201, None)),
        (BrevoClient, BREVO, 401, {"code": "unauthorized", "message": SECRET}, ("/smtp/email", 401, "unauthorized")),
        (SlackClient, SLACK, 200, {"ok": True, "channel": "C1", "ts": "1.2"}, ("/chat.postMessage", 200, None)),
        (SlackClient, SLACK, 200, {"ok": False, "error": "no_text"}, ("/chat.postMessage", 200, "no_text")),
        (SlackClient, SLACK, 200, {"ok": False, "error": TOLD}, ("/chat.postMessage", 200, None)),
        (WhatsAppClient, WHATSAPP, 200, {"messages": [{"id": "wamid.1"}]}, ("/1234/messages", 200, None)),
        (
            WhatsAppClient,
            WHATSAPP,
            400,
            {"error": {"code": 131026, "message": TOLD}},
            ("/1234/messages", 400, "131026"),
        ),
        (WhatsAppClient, WHATSAPP, 500, {"error": TOLD}, ("/1234/messages", 500, None)),
    ],
)
def test_an_outcome_tells_what_was_asked_and_what_came_back(
    client: Any, asked: Any, status: int, answer: dict[str, Any], told: tuple[str, int, str | None]
):
    path, http_status, code = told
    with TinyServer([reply(status, json.dumps(answer).encode())]) as server:
        assert exchange(client, asked, server) == Exchange("POST", path, 0, http_status, code)


@pytest.mark.parametrize(("status", "body", "code"), [(200, b"ok", None), (403, b"invalid_token", "invalid_token")])
def test_a_webhooks_address_is_a_secret_and_is_not_shown(status: int, body: bytes, code: str | None):
    asked = message(content={"text": TOLD}, settings={"kind": "webhook"})
    with TinyServer([reply(status, body)]) as server:
        address = server.url + SLACK_WEBHOOK_PATH
        told = exchange(SlackClient, asked, server, address)
    assert told == Exchange("POST", "/services/…", 0, status, code)
    assert not any(part in told.path for part in SLACK_WEBHOOK_PATH.split("/")[2:] if part)


def test_a_call_without_an_answer_has_no_status():
    with TinyServer([CLOSE]) as server:
        assert exchange(BrevoClient, BREVO, server) == Exchange("POST", "/smtp/email", 0)
    outcome = asyncio.run(called(BrevoClient, f"http://127.0.0.1:{free_port()}", BREVO, SECRET))
    assert outcome.exchange is not None
    assert outcome.exchange.http_status is None
