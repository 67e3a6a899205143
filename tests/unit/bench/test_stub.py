"""The stub provider: it answers as each provider does, knows when what came, and bounds what is under way."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bench import stub

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def provider() -> Iterator[stub.Stub]:
    with stub.running() as running:
        yield running


def post(provider: stub.Stub, path: str, text: str) -> tuple[int, dict]:
    connection = http.client.HTTPConnection(urlsplit(provider.url).netloc)
    connection.request("POST", path, json.dumps({"text": text}))
    answer = connection.getresponse()
    told = answer.status, json.loads(answer.read())
    connection.close()
    return told


@pytest.mark.parametrize(
    ("path", "status", "key"),
    [
        ("/brevo/smtp/email", 201, "messageId"),
        ("/slack/chat.postMessage", 200, "ts"),
        ("/whatsapp/1/messages", 200, "messages"),
    ],
)
def test_it_accepts_as_the_provider_whose_path_it_is(provider: stub.Stub, path: str, status: int, key: str):
    found, document = post(provider, path, "bench-1")
    assert found == status
    assert key in document


def test_it_knows_which_message_came_when(provider: stub.Stub):
    provider.reset()
    before = time.time()
    post(provider, "/slack/x", "says bench-17")
    ((number, at),) = provider.arrivals()
    assert number == 17
    assert before <= at <= time.time()


def test_it_takes_its_time_and_bears_so_many_at_once(provider: stub.Stub):
    provider.reset(delay=0.1, in_flight=2)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: post(provider, "/brevo/x", f"bench-{number}"), range(4)))
    assert 0.2 <= time.monotonic() - began < 1.0
    assert len(provider.arrivals()) == 4


def test_it_forgets_when_it_is_told_to(provider: stub.Stub):
    provider.reset()
    post(provider, "/brevo/x", "bench-1")
    provider.reset()
    assert provider.arrivals() == []
