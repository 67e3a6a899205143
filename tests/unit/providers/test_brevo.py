"""Brevo: its table of errors (contract 2.4), its idempotency (2.3), and what is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.credentials import BREVO_API_KEY
from nofy.adapters.providers.brevo import BrevoClient, body_of, read
from nofy.adapters.providers.http import Answer
from nofy.domain.outcomes import Accepted, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown
from tests.unit.domain.examples import DELIVERY, NOW, message
from tests.unit.domain.strategies import json_values
from tests.unit.providers.tiny_server import TinyServer, reply

CONFIG, RECIPIENT, CONTENT = RejectionKind.CONFIG, RejectionKind.RECIPIENT, RejectionKind.CONTENT
MESSAGE_ID = "202603011200.1@smtp-relay.mailin.fr"


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refusal(status: int, code: str, words: str = "why") -> Answer:
    return answer(status, {"code": code, "message": words})


# Contract 2.4, row by row.
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_parameter", CONTENT),
        (400, "missing_parameter", CONTENT),
        (400, "out_of_range", CONTENT),
        (400, "bad_request", CONTENT),
        (400, "document_not_found", CONTENT),
        (401, "unauthorized", CONFIG),
        (402, "not_enough_credits", CONFIG),
        (403, "permission_denied", CONFIG),
        (403, "account_under_validation", CONFIG),
        (404, "document_not_found", CONTENT),
        (405, "method_not_allowed", CONTENT),
        (406, "not_acceptable", CONTENT),
        (415, "not_acceptable", CONTENT),
        (422, "unprocessable_entity", CONTENT),
        (400, "a_code_from_the_future", CONTENT),
        # The pairing of status and code is not documented: either of them is enough to know whose fault it is.
        (400, "unauthorized", CONFIG),
        (400, "not_enough_credits", CONFIG),
        (401, "a_code_from_the_future", CONFIG),
    ],
)
def test_a_refusal_is_read_by_status_and_code(status: int, code: str, kind: RejectionKind):
    assert read(refusal(status, code), in_doubt=True) == Rejected(kind, f"{code}: why")


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (answer(201, {"messageId": f"<{MESSAGE_ID}>"}), Accepted(MESSAGE_ID)),
        (answer(201, {"messageId": MESSAGE_ID}), Accepted(MESSAGE_ID)),
        (answer(202, {"messageId": f"<{MESSAGE_ID}>", "batchId": "x"}), Accepted(MESSAGE_ID)),
        (answer(201, {}), Accepted(None)),
        (answer(201, {"messageId": None}), Accepted(None)),
        (answer(201, b"<html>"), Accepted(None)),
        # Our own key is known there already: an earlier call was taken, and its id is not told again.
        (refusal(400, "duplicate_parameter"), Accepted(None)),
        (refusal(429, "too_many_requests"), Throttled("too_many_requests: why", None)),
        (answer(429, b"", x_sib_ratelimit_reset="12"), Throttled("429: ", 12)),
        (answer(429, b"", x_sib_ratelimit_reset="12", retry_after="3"), Throttled("429: ", 3)),
        (
            refusal(400, "invalid_parameter", "email is not valid in to"),
            Rejected(RECIPIENT, "invalid_parameter: email is not valid in to"),
        ),
        (answer(401, {"message": "Key not found"}), Rejected(CONFIG, "401: Key not found")),
        (answer(408, b""), Transient("408: ")),
        (answer(425, b""), Transient("425: ")),
        (answer(500, b"<html>"), Unknown("HTTP 500")),
        (refusal(502, "whatever"), Unknown("HTTP 502")),
        (refusal(503, "service_unavailable"), Unknown("HTTP 503")),
    ],
)
def test_an_answer_becomes_an_outcome(told: Answer, outcome: Outcome):
    assert read(told, in_doubt=True) == outcome


@given(st.sampled_from([200, 201, 302, 400, 401, 429, 500]), json_values)
def test_no_answer_makes_reading_fail(status: int, body: Any):
    assert isinstance(read(answer(status, body), in_doubt=True), Outcome)


@given(st.dictionaries(st.sampled_from(["code", "message", "messageId"]), json_values))
def test_no_object_makes_reading_fail(body: dict[str, Any]):
    for status in (201, 400, 429):
        assert isinstance(read(answer(status, body), in_doubt=True), Outcome)


def test_a_message_becomes_a_body_with_its_key_and_its_mark():
    asked = message()
    assert body_of(asked) == {
        "sender": {"email": "no-reply@example.com", "name": "Nofy"},
        "to": [{"email": "ada@example.com"}],
        "subject": "Deploy finished",
        "htmlContent": "<p>Build 42</p>",
        "textContent": "Build 42",
        "headers": {"idempotencyKey": str(asked.idempotency_key), "X-Mailin-custom": str(DELIVERY)},
    }


def test_everything_an_email_may_have_finds_its_place():
    content = {
        "subject": "S",
        "html": "<p>",
        "reply_to": {"email": "help@example.com", "name": "Help"},
        "headers": {"X-Order": "42", "idempotencyKey": "ours-wins"},
        "attachments": [{"url": "https://example.com/a.pdf", "name": "a.pdf"}],
    }
    asked = message(content=content)
    body = body_of(asked)
    assert body["replyTo"] == {"email": "help@example.com", "name": "Help"}
    assert body["attachment"] == [{"url": "https://example.com/a.pdf", "name": "a.pdf"}]
    assert body["headers"]["X-Order"] == "42"
    assert body["headers"]["idempotencyKey"] == str(asked.idempotency_key)
    assert "textContent" not in body


def test_the_key_of_the_account_is_a_header_and_the_key_of_the_message_is_not(http, run):
    with TinyServer([reply(201, b'{"messageId": "<1@x>"}')]) as server:
        assert run(BrevoClient(server.url + "/v3/", http).call(message(), "xkeysib-x")) == Accepted("1@x")
        (asked,) = server.asked
    assert asked.line == "POST /v3/smtp/email HTTP/1.1"
    assert asked.headers["api-key"] == "xkeysib-x"
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert "idempotencykey" not in asked.headers


@pytest.mark.parametrize(
    ("address", "credential", "outcome"),
    [
        ("ada+503@example.com", BREVO_API_KEY, Unknown("HTTP 503")),
        ("ada+html503@example.com", BREVO_API_KEY, Unknown("HTTP 503")),
        ("ada+throttle3@example.com", BREVO_API_KEY, Throttled("too_many_requests: Too many requests", 3)),
        ("ada+reset@example.com", BREVO_API_KEY, Unknown("no answer: ConnectionError")),
        ("ada+reject@example.com", BREVO_API_KEY, Rejected(RECIPIENT, "invalid_parameter: email is not valid in to")),
        ("ada+content@example.com", BREVO_API_KEY, Rejected(CONTENT, "invalid_parameter: htmlContent is not valid")),
        (
            "ada+error:not_enough_credits@example.com",
            BREVO_API_KEY,
            Rejected(CONFIG, "not_enough_credits: not_enough_credits"),
        ),
        ("ada@example.com", "xkeysib-wrong", Rejected(CONFIG, "unauthorized: Key not found")),
    ],
)
def test_the_simulators_faults_are_read_as_what_they_are(simulators, http, run, address, credential, outcome):
    client = BrevoClient(f"{simulators.url}/brevo/v3", http)
    assert run(client.call(message(destination=address), credential)) == outcome


@pytest.mark.parametrize("lost", ["ada+hangup@example.com", "ada+internal@example.com"])
def test_a_retry_after_a_lost_answer_is_accepted_and_sends_nothing_twice(simulators, http, run, lost: str):
    client = BrevoClient(f"{simulators.url}/brevo/v3", http)
    first = run(client.call(message(destination=lost), BREVO_API_KEY))
    assert isinstance(first, Unknown)
    second = run(client.call(message(destination=lost, ask_until=NOW), BREVO_API_KEY))
    assert second == Accepted(None)
    assert [each["accepted"] for each in simulators.application.world.ledger.since(0)] == [True, False]


def test_the_simulator_takes_what_the_client_sends(simulators, http, run):
    client = BrevoClient(f"{simulators.url}/brevo/v3", http)
    outcome = run(client.call(message(), BREVO_API_KEY))
    (received,) = simulators.application.world.inbox.accepted_by("brevo")
    assert outcome == Accepted(received.provider_id.strip("<>"))
    assert (received.correlation, received.idempotency_key) == (str(DELIVERY), str(message().idempotency_key))


def test_a_duplicate_is_no_acceptance_where_no_earlier_call_is_in_doubt():
    outcome = read(refusal(400, "duplicate_parameter"), in_doubt=False)
    assert outcome == Rejected(CONTENT, "duplicate_parameter: why")
