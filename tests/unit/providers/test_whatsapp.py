"""WhatsApp: Meta's table of codes (contract 3.7), its answers (3.5, 3.6), and what is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.credentials import WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_TOKEN
from nofy.adapters.providers.http import Answer
from nofy.adapters.providers.whatsapp import (
    CONFIG_CODES,
    CONTENT_CODES,
    RECIPIENT_CODES,
    THROTTLE_CODES,
    WhatsAppClient,
    body_of,
    read,
)
from nofy.domain.outcomes import (
    Accepted,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)
from tests.unit.domain.examples import DELIVERY, message
from tests.unit.domain.strategies import json_values
from tests.unit.providers.tiny_server import TinyServer, reply

CONFIG, RECIPIENT, CONTENT = RejectionKind.CONFIG, RejectionKind.RECIPIENT, RejectionKind.CONTENT

# Contract 3.7, row by row: code, the status of Meta's older table, class.
TABLE: list[tuple[int, int, Any]] = [
    (0, 401, CONFIG),
    (1, 400, Transient),
    (2, 503, Transient),
    (3, 500, CONFIG),
    (4, 400, Throttled),
    (10, 403, CONFIG),
    (17, 400, Throttled),
    (33, 400, CONFIG),
    (100, 400, CONTENT),
    (190, 401, CONFIG),
    (200, 403, CONFIG),
    (299, 403, CONFIG),
    (341, 400, Throttled),
    (368, 403, CONFIG),
    (613, 400, Throttled),
    (80007, 400, Throttled),
    (130403, 400, RECIPIENT),
    (130429, 400, Throttled),
    (130472, 400, RECIPIENT),
    (130497, 400, RECIPIENT),
    (131000, 500, Transient),
    (131005, 403, CONFIG),
    (131008, 400, CONTENT),
    (131009, 400, CONTENT),
    (131016, 500, Transient),
    (131021, 400, RECIPIENT),
    (131026, 400, RECIPIENT),
    (131030, 400, RECIPIENT),
    (131031, 403, CONFIG),
    (131037, 400, CONFIG),
    (131042, 400, CONFIG),
    (131045, 500, CONFIG),
    (131047, 400, CONTENT),
    (131048, 400, Throttled),
    (131049, 400, RECIPIENT),
    (131050, 400, RECIPIENT),
    (131051, 400, CONTENT),
    (131053, 400, CONTENT),
    (131055, 400, CONTENT),
    (131056, 400, Throttled),
    (131057, 500, Transient),
    (131062, 400, CONTENT),
    (131063, 400, CONFIG),
    (131064, 400, Throttled),
    (132000, 400, CONTENT),
    (132001, 404, CONTENT),
    (132005, 400, CONTENT),
    (132007, 400, CONTENT),
    (132008, 400, CONTENT),
    (132012, 400, CONTENT),
    (132015, 400, CONFIG),
    (132016, 400, CONFIG),
    (132018, 400, CONTENT),
    (132068, 400, CONTENT),
    (132069, 400, Throttled),
    (133000, 500, CONFIG),
    (133004, 503, Transient),
    (133005, 400, CONFIG),
    (133006, 400, CONFIG),
    (133008, 400, CONFIG),
    (133009, 400, CONFIG),
    (133010, 400, CONFIG),
    (133015, 400, Transient),
    (133016, 400, CONFIG),
    (134011, 400, CONFIG),
    (135000, 400, CONTENT),
    (137000, 400, RECIPIENT),
    (999999, 400, Transient),
]


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refusal(status: int, code: Any, **more: Any) -> Answer:
    error = {"message": f"(#{code}) title", "code": code, "error_data": {"details": "why"}, "fbtrace_id": "A1"}
    return answer(status, {"error": {**error, **more}})


@pytest.mark.parametrize(("code", "status", "verdict"), TABLE)
def test_a_refusal_is_read_by_its_code(code: int, status: int, verdict: Any):
    outcome = read(refusal(status, code))
    if isinstance(verdict, RejectionKind):
        assert outcome == Rejected(verdict, f"{code}: why")
    else:
        assert type(outcome) is verdict
        assert outcome.reason == f"{code}: why"


@pytest.mark.parametrize(("code", "status", "verdict"), TABLE)
def test_the_status_of_a_refusal_does_not_matter(code: int, status: int, verdict: Any):
    assert read(refusal(200, code)) == read(refusal(418, code)) == read(refusal(status, code))


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(130429, None), (131056, 6), (4, 60), (80007, 60), (131048, 3600), (131064, 3600)],
)
def test_meta_names_no_time_so_each_throttle_has_one_of_its_own(code: int, seconds: float | None):
    outcome = read(refusal(400, code))
    assert isinstance(outcome, Throttled)
    assert (outcome.reason, outcome.retry_after) == (f"{code}: why", seconds)


SCOPES = dict.fromkeys([4, 17, 341, 613, 80007, 130429, 131048, 131064, 132069], ThrottleScope.INTEGRATION)
SCOPES[131056] = ThrottleScope.DESTINATION


@pytest.mark.parametrize("code", THROTTLE_CODES)
def test_only_the_pair_limit_speaks_of_one_person(code: int):
    outcome = read(refusal(400, code))
    assert isinstance(outcome, Throttled)
    assert outcome.scope is SCOPES[code]


def test_no_code_stands_in_two_classes():
    classes = [CONFIG_CODES, RECIPIENT_CODES, CONTENT_CODES, set(THROTTLE_CODES)]
    assert len(set().union(*classes)) == sum(map(len, classes))


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (answer(200, {"contacts": [{}], "messages": [{"id": "wamid.1"}]}), Accepted("wamid.1")),
        (answer(200, {"messages": [{"id": "wamid.1", "message_status": "accepted"}]}), Accepted("wamid.1")),
        (answer(200, {}), Accepted(None)),
        (answer(200, {"messages": []}), Accepted(None)),
        (answer(200, {"messages": {"id": "wamid.1"}}), Accepted(None)),
        (answer(200, {"messages": ["wamid.1"]}), Accepted(None)),
        (answer(200, b"<html>"), Accepted(None)),
        (
            refusal(400, 131026, error_data="details may be a string"),
            Rejected(RECIPIENT, "131026: details may be a string"),
        ),
        (refusal(400, 131026, error_data=None), Rejected(RECIPIENT, "131026: (#131026) title")),
        (refusal(400, 131026, error_data={}), Rejected(RECIPIENT, "131026: (#131026) title")),
        (answer(400, {"error": {"code": 131026}}), Rejected(RECIPIENT, "131026: ")),
        (answer(429, b"", retry_after="3"), Throttled("HTTP 429", 3)),
        (answer(500, b"<html>"), Unknown("HTTP 500")),
        (answer(503, {"error": "not an object"}), Unknown("HTTP 503")),
        (answer(400, b"<html>"), Transient("HTTP 400")),
        (refusal(400, "131026"), Transient("HTTP 400")),  # codes are integers
    ],
)
def test_an_answer_becomes_an_outcome(told: Answer, outcome: Outcome):
    assert read(told) == outcome


@given(st.sampled_from([200, 302, 400, 429, 500]), json_values)
def test_no_answer_makes_reading_fail(status: int, body: Any):
    assert isinstance(read(answer(status, body)), Outcome)


@given(st.sampled_from(["error", "messages"]), json_values)
def test_no_object_makes_reading_fail(name: str, value: Any):
    for status in (200, 400):
        assert isinstance(read(answer(status, {name: value})), Outcome)
        assert isinstance(read(answer(status, {"error": {"code": 4, "error_data": value}})), Outcome)


TEXT = message(destination="+15550100001", content={"text": "Ready", "preview_url": False})


def test_a_text_becomes_a_body_and_the_number_keeps_its_plus():
    assert body_of(TEXT) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+15550100001",
        "type": "text",
        "text": {"body": "Ready", "preview_url": False},
        "biz_opaque_callback_data": str(DELIVERY),
    }


def test_a_template_goes_through_as_it_was_written():
    template = {"name": "report_ready", "language": {"code": "en_US"}, "components": [{"type": "body"}]}
    body = body_of(message(destination="+15550100001", content={"template": template}))
    assert (body["type"], body["template"]) == ("template", template)
    assert "text" not in body


def test_the_phone_number_id_stands_in_the_path(http, run):
    with TinyServer([reply(200, b'{"messages": [{"id": "wamid.1"}]}')]) as server:
        client = WhatsAppClient(server.url + "/v25.0/", http)
        asked = message(destination="+15550100001", content={"text": "Hi"}, settings={"phone_number_id": "42"})
        assert run(client.call(asked, "EAA-x")) == Accepted("wamid.1")
        (got,) = server.asked
    assert got.line == "POST /v25.0/42/messages HTTP/1.1"
    assert got.headers["authorization"] == "Bearer EAA-x"
    assert got.headers["content-type"] == "application/json"


def call(simulators, http, run, number: str, credential: str = WHATSAPP_TOKEN, **content: Any) -> Outcome:
    client = WhatsAppClient(f"{simulators.url}/whatsapp/v25.0", http)
    settings = {"phone_number_id": WHATSAPP_PHONE_NUMBER_ID}
    asked = message(destination=number, content=content or {"text": "Hi"}, settings=settings)
    return run(client.call(asked, credential))


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("+15550199503", Transient),
        ("+15550199504", Unknown),  # a proxy's page says nothing about what happened behind it
        ("+15550199429", Throttled),
        ("+15550199456", Throttled),
        ("+15550199403", RECIPIENT),
        ("+15550199400", CONTENT),
        ("+15550199401", CONFIG),
        ("+15550199447", CONTENT),
        ("+15550199449", RECIPIENT),
        ("+15550199520", Unknown),
        ("+15550199521", Unknown),
    ],
)
def test_the_simulators_faults_are_read_as_what_they_are(simulators, http, run, number: str, verdict: Any):
    outcome = call(simulators, http, run, number)
    if isinstance(verdict, RejectionKind):
        assert isinstance(outcome, Rejected)
        assert outcome.kind is verdict
    else:
        assert isinstance(outcome, verdict)


def test_a_wrong_token_is_the_integrations_fault(simulators, http, run):
    outcome = call(simulators, http, run, "+15550100001", "EAA-wrong")
    assert isinstance(outcome, Rejected)
    assert outcome.kind is CONFIG


def test_the_simulator_takes_what_the_client_sends(simulators, http, run):
    outcome = call(simulators, http, run, "+447700900123")
    (received,) = simulators.application.world.inbox.accepted_by("whatsapp")
    assert outcome == Accepted(received.provider_id)
    assert (received.to, received.correlation) == ("447700900123", str(DELIVERY))
