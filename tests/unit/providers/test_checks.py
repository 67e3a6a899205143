"""What each provider says of a credential: known, refused, or not to be said now. Nothing is sent to anybody."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from local.simulators.credentials import (
    BREVO_API_KEY,
    BREVO_ELSEWHERE_KEY,
    SLACK_BOT_TOKEN,
    SLACK_REVOKED_TOKEN,
    SLACK_WEBHOOK_PATH,
    WHATSAPP_PHONE_NUMBER_ID,
    WHATSAPP_TOKEN,
)
from nofy.adapters.providers import http as http_module
from nofy.adapters.providers.checks import (
    Check,
    Checked,
    ProviderChecks,
    Refused,
    Unavailable,
    read_account,
    read_auth_test,
    read_phone_number,
    read_webhook,
)
from nofy.adapters.providers.http import Answer
from nofy.adapters.providers.slack import CONFIG_ERRORS, WEBHOOK_CONFIG, WEBHOOK_RECIPIENT
from nofy.adapters.providers.whatsapp import CONFIG_CODES, THROTTLE_CODES
from nofy.domain.integrations import is_webhook
from nofy.domain.routing import Provider
from tests.unit.domain.strategies import json_values
from tests.unit.providers.tiny_server import RESET, SILENCE, TinyServer, free_port, reply

BOT, HOOK = {"kind": "bot"}, {"kind": "webhook"}
SENDER = {"sender": {"email": "no-reply@example.com"}}
NUMBER = {"phone_number_id": "1000001"}


def answer(status: int, body: Any = b"") -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def kind(check: Check) -> str:
    return type(check).__name__


AUTH = {"ok": True, "url": "https://acme.slack.com/", "team": "Acme", "user": "nofy", "team_id": "T1", "user_id": "U1"}


@pytest.mark.parametrize(
    ("told", "check"),
    [
        (
            answer(200, AUTH | {"bot_id": "B1"}),
            Checked({"team": "Acme", "team_id": "T1", "user": "nofy", "url": "https://acme.slack.com/"}),
        ),
        (answer(200, {"ok": True}), Checked({})),
        *((answer(200, {"ok": False, "error": error}), Refused(f"Slack says {error}")) for error in CONFIG_ERRORS),
        (answer(200, {"ok": False, "error": "from_the_future"}), Refused("Slack says from_the_future")),
        *(
            (answer(200, {"ok": False, "error": error}), Unavailable(f"Slack says {error}"))
            for error in (
                "ratelimited rate_limited message_limit_exceeded internal_error fatal_error service_unavailable "
                "request_timeout team_added_to_org org_login_required"
            ).split()
        ),
        (answer(429, {"ok": False, "error": "ratelimited"}), Unavailable("Slack answers HTTP 429")),
        (answer(503, b"<html>"), Unavailable("Slack answers HTTP 503")),
        (answer(500, {"ok": True}), Unavailable("Slack answers HTTP 500")),
        (answer(200, b"<html>"), Unavailable("Slack answers HTTP 200")),
        (answer(302, b""), Unavailable("Slack answers HTTP 302")),
    ],
)
def test_what_slack_says_of_a_token(told: Answer, check: Check):
    assert read_auth_test(told) == check


@pytest.mark.parametrize(
    ("told", "check"),
    [
        (answer(400, b"no_text"), Checked({"answer": "no_text"})),
        (answer(400, b"missing_text"), Checked({"answer": "missing_text"})),
        (answer(400, b"invalid_payload"), Checked({"answer": "invalid_payload"})),
        *((answer(403, word.encode()), Refused(f"Slack says {word}")) for word in WEBHOOK_CONFIG | WEBHOOK_RECIPIENT),
        (answer(404, b"no_service"), Refused("Slack says no_service")),
        (answer(410, b"channel_is_archived"), Refused("Slack says channel_is_archived")),
        (answer(400, b"from_the_future"), Refused("Slack says from_the_future")),
        (answer(302), Refused("Slack says HTTP 302")),
        # A webhook that takes a message without words is none that we know.
        (answer(200, b"ok"), Refused("Slack says ok")),
        (answer(429), Unavailable("Slack answers HTTP 429: HTTP 429")),
        (answer(500, b"rollup_error"), Unavailable("Slack answers HTTP 500: rollup_error")),
    ],
)
def test_what_slack_says_of_a_webhook(told: Answer, check: Check):
    assert read_webhook(told) == check


ACCOUNT = {"email": "ada@example.com", "companyName": "Acme", "plan": [{"type": "free"}, {"type": "sms"}]}


@pytest.mark.parametrize(
    ("told", "check"),
    [
        (answer(200, ACCOUNT), Checked({"email": "ada@example.com", "company": "Acme", "plan": ["free", "sms"]})),
        (answer(200, {"email": "a@b.c", "plan": "free"}), Checked({"email": "a@b.c", "plan": []})),
        (answer(200, b"<html>"), Unavailable("Brevo answers with no account")),
        (answer(401, {"message": "Key not found"}), Refused("Brevo answers HTTP 401: Key not found")),
        (
            answer(401, {"code": "unauthorized", "message": "You use an unrecognised IP address 192.0.2.7."}),
            Refused(
                "Brevo does not let in calls from this IP address (Security, Authorised IPs): "
                "You use an unrecognised IP address 192.0.2.7."
            ),
        ),
        (answer(402, {"message": "no credits"}), Refused("Brevo answers HTTP 402: no credits")),
        (answer(403, {"message": "under validation"}), Refused("Brevo answers HTTP 403: under validation")),
        (answer(404, {"message": "gone"}), Refused("Brevo answers HTTP 404: gone")),
        (answer(408), Unavailable("Brevo answers HTTP 408: ")),
        (answer(429, {"message": "too many"}), Unavailable("Brevo answers HTTP 429: too many")),
        (answer(500, b"<html>"), Unavailable("Brevo answers HTTP 500: <html>")),
    ],
)
def test_what_brevo_says_of_a_key(told: Answer, check: Check):
    assert read_account(told) == check


PHONE = {"display_phone_number": "+1 555-010-0000", "verified_name": "Acme", "quality_rating": "GREEN", "id": "1000001"}


def meta(code: Any, status: int = 400) -> Answer:
    return answer(status, {"error": {"code": code, "message": "why"}})


@pytest.mark.parametrize(
    ("told", "check"),
    [
        (answer(200, PHONE), Checked({name: PHONE[name] for name in PHONE if name != "id"})),
        (answer(200, {"display_phone_number": "+1"}), Checked({"display_phone_number": "+1"})),
        *((meta(code, 401), Refused(f"Meta says {code}: why")) for code in sorted(CONFIG_CODES)),
        *((meta(code), Unavailable(f"Meta says {code}: why")) for code in THROTTLE_CODES),
        *((meta(code, 500), Unavailable(f"Meta says {code}: why")) for code in (1, 2, 131000, 131016, 133004)),
        (meta(100), Refused("Meta says 100: why")),  # an id of something else, or of nothing
        (meta(999_999), Refused("Meta says 999999: why")),
        (meta("soon", 503), Unavailable("Meta answers HTTP 503")),
        (answer(404, b"<html>"), Refused("Meta answers HTTP 404")),
        (answer(429), Unavailable("Meta answers HTTP 429")),
    ],
)
def test_what_meta_says_of_a_token_and_a_number(told: Answer, check: Check):
    assert read_phone_number("1000001", told) == check


@pytest.mark.parametrize("body", [{"id": "1000001", "name": "a business"}, PHONE | {"id": "1000002"}, b"<html>"])
def test_an_id_of_something_else_is_no_phone_number(body: Any):
    check = read_phone_number("1000001", answer(200, body))
    assert isinstance(check, Refused)
    assert "1000001 is no phone number's id" in check.reason


READERS = (read_auth_test, read_webhook, read_account, partial(read_phone_number, "1000001"))


@given(st.sampled_from([200, 302, 400, 401, 429, 500]), json_values)
def test_no_answer_makes_reading_fail(status: int, body: Any):
    assert all(isinstance(read(answer(status, body)), Check) for read in READERS)


@given(
    st.dictionaries(st.sampled_from(["ok", "error", "email", "plan", "message", "display_phone_number"]), json_values)
)
def test_no_object_makes_reading_fail_and_all_of_it_can_be_stored(body: dict[str, Any]):
    for read in READERS:
        for status in (200, 401):
            shown = json.dumps(repr(read(answer(status, body))), ensure_ascii=False)
            assert "\0" not in shown
            assert len(shown.encode()) < 10_000


def test_a_text_without_end_is_cut_and_keeps_to_one_line():
    refused = read_account(answer(403, {"message": "line\r\nline\0 " + "x" * 5_000}))
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("Brevo answers HTTP 403: line line? xxx")
    assert len(refused.reason) < 300


def checks(url: str, http: http_module.HttpClient) -> ProviderChecks:
    return ProviderChecks(f"{url}/slack/api", f"{url}/brevo/v3", f"{url}/whatsapp/v25.0", http)


GOOD: list[tuple[Provider, dict[str, Any], str]] = [
    (Provider.SLACK, BOT, "xoxb-secret"),
    (Provider.SLACK, HOOK, "/slack/services/T0/B0/secret"),
    (Provider.BREVO, SENDER, "xkeysib-secret"),
    (Provider.WHATSAPP, NUMBER, "EAAsecret"),
]


def at(url: str, credential: str) -> str:
    return url + credential if credential.startswith("/") else credential


@pytest.mark.parametrize(
    ("asked", "line", "header"),
    [
        (GOOD[0], "POST /slack/api/auth.test", ("authorization", "Bearer xoxb-secret")),
        (GOOD[1], "POST /slack/services/T0/B0/secret", ("content-type", "application/json")),
        (GOOD[2], "GET /brevo/v3/account", ("api-key", "xkeysib-secret")),
        (
            GOOD[3],
            "GET /whatsapp/v25.0/1000001?fields=display_phone_number,verified_name,quality_rating",
            ("authorization", "Bearer EAAsecret"),
        ),
    ],
)
def test_each_provider_is_asked_once_for_what_sends_nothing(http, asked, line: str, header: tuple[str, str]):
    provider, settings, credential = asked
    with TinyServer([reply(400, b"no_text")]) as server:
        checks(server.url, http).check(provider, settings, at(server.url, credential))
        (call,) = server.asked
    assert call.line == f"{line} HTTP/1.1"
    assert call.headers[header[0]] == header[1]
    assert call.body in (b"", b"{}", b'{"text":""}')


@pytest.mark.parametrize("asked", GOOD)
@pytest.mark.parametrize("ending", [RESET, SILENCE, reply(503, b"<html>"), reply(500)])
def test_a_provider_that_gives_no_answer_refuses_nothing(http, monkeypatch, asked, ending: bytes):
    monkeypatch.setattr(http_module, "PROVIDER_TIMEOUT", 0.1)
    provider, settings, credential = asked
    with TinyServer([ending]) as server:
        check = checks(server.url, http).check(provider, settings, at(server.url, credential))
        assert len(server.asked) == 1
    assert kind(check) == "Unavailable"
    assert "secret" not in repr(check)


@pytest.mark.parametrize("asked", GOOD)
def test_a_provider_that_is_not_there_refuses_nothing(http, asked):
    provider, settings, credential = asked
    url = f"http://127.0.0.1:{free_port()}"
    assert kind(checks(url, http).check(provider, settings, at(url, credential))) == "Unavailable"


@pytest.mark.parametrize("asked", GOOD)
def test_a_redirect_is_not_followed(http, asked):
    provider, settings, credential = asked
    with TinyServer([reply(200)]) as elsewhere, TinyServer([reply(307, Location=elsewhere.url)]) as server:
        assert kind(checks(server.url, http).check(provider, settings, at(server.url, credential))) != "Checked"
        assert not elsewhere.asked


@pytest.mark.parametrize("asked", GOOD)
@pytest.mark.parametrize("wrong", ["", "with space", "xoxb-1\r\nx: y", "xoxb-\0", "xkeysib-é", "x" * 3_000])
def test_what_could_not_stand_in_a_header_is_not_asked_about(http, asked, wrong: str):
    provider, settings, _ = asked
    with TinyServer([reply(200)]) as server:
        assert kind(checks(server.url, http).check(provider, settings, wrong)) == "Refused"
        assert not server.asked


@pytest.mark.parametrize("asked", GOOD)
def test_nor_what_no_message_could_be_sent_with(http, asked):
    provider, _, credential = asked
    with TinyServer([reply(200)]) as server:
        assert kind(checks(server.url, http).check(provider, {}, at(server.url, credential))) == "Refused"
        assert not server.asked


def test_a_webhook_elsewhere_is_not_called(http):
    with TinyServer([reply(400, b"no_text")]) as elsewhere:
        ours = checks("https://nofy.invalid", http)
        check = ours.check(Provider.SLACK, HOOK, f"{elsewhere.url}/slack/services/T0/B0/secret99")
        assert not elsewhere.asked
    assert isinstance(check, Refused)
    assert "secret99" not in check.reason


@pytest.mark.parametrize("asked", GOOD)
def test_what_a_provider_repeats_of_a_credential_is_shown_to_nobody(http, asked):
    provider, settings, credential = asked
    credential += "-much-longer"
    for said in (credential, json.dumps({"message": credential, "error": {"code": 190, "message": credential}})):
        with TinyServer([reply(401, said.encode())]) as server:
            check = checks(server.url, http).check(provider, settings, at(server.url, credential))
        assert "secret" not in repr(check)


@pytest.mark.parametrize(
    ("provider", "settings", "credential", "check"),
    [
        (
            Provider.SLACK,
            BOT,
            SLACK_BOT_TOKEN,
            Checked(
                {
                    "team": "Nofy on this machine",
                    "team_id": "T0LOCAL",
                    "user": "nofy",
                    "url": "https://nofy-local.slack.com/",
                }
            ),
        ),
        (Provider.SLACK, BOT, SLACK_REVOKED_TOKEN, Refused("Slack says token_revoked")),
        (Provider.SLACK, BOT, "xoxb-wrong", Refused("Slack says invalid_auth")),
        (Provider.SLACK, HOOK, "/slack" + SLACK_WEBHOOK_PATH, Checked({"answer": "no_text"})),
        (Provider.SLACK, HOOK, "/slack/services/T0LOCAL/B0LOCAL/revoked", Refused("Slack says invalid_token")),
        (Provider.SLACK, HOOK, "/slack/services/T0OTHER/B0LOCAL/nofylocal", Refused("Slack says no_team")),
        (Provider.SLACK, HOOK, "/slack/services/T0LOCAL/B0OTHER/nofylocal", Refused("Slack says no_service")),
        (
            Provider.BREVO,
            SENDER,
            BREVO_API_KEY,
            Checked({"email": "you@nofy.test", "company": "Nofy", "plan": ["free"]}),
        ),
        (Provider.BREVO, SENDER, "xkeysib-wrong", Refused("Brevo answers HTTP 401: Key not found")),
        (
            Provider.BREVO,
            SENDER,
            BREVO_ELSEWHERE_KEY,
            Refused(
                "Brevo does not let in calls from this IP address (Security, Authorised IPs): "
                "We have detected you are using an unrecognised IP address 192.0.2.7."
            ),
        ),
        (
            Provider.WHATSAPP,
            {"phone_number_id": WHATSAPP_PHONE_NUMBER_ID},
            WHATSAPP_TOKEN,
            Checked(
                {
                    "display_phone_number": "+1 555-010-0000",
                    "verified_name": "Nofy on this machine",
                    "quality_rating": "GREEN",
                }
            ),
        ),
    ],
)
def test_the_simulators_know_their_credentials(simulators, http, provider, settings, credential, check):
    assert checks(simulators.url, http).check(provider, settings, at(simulators.url, credential)) == check
    assert not simulators.application.world.inbox.accepted_by(provider.value)


@pytest.mark.parametrize(
    ("number", "token", "words"),
    [(WHATSAPP_PHONE_NUMBER_ID, "EAA-wrong", "Meta says 190"), ("1000001", WHATSAPP_TOKEN, "Meta says 33")],
)
def test_the_simulator_tells_a_wrong_token_from_a_wrong_number(simulators, http, number: str, token: str, words: str):
    check = checks(simulators.url, http).check(Provider.WHATSAPP, {"phone_number_id": number}, token)
    assert isinstance(check, Refused)
    assert check.reason.startswith(words)


@given(st.data())
def test_whatever_is_taken_for_a_webhook_leads_to_slack_by_everybodys_reading(data: st.DataObject):
    address = "https://hooks.slack.com/services/T0AB/B0AB/abc"
    for _ in range(data.draw(st.integers(0, 3))):
        where = data.draw(st.integers(0, len(address)))
        piece = data.draw(st.sampled_from(["@", ":", "/", "..", "\\", "?", "#", "%2f", "\t", "evil.example", "a", "Z"]))
        address = address[:where] + piece + address[where + data.draw(st.integers(0, 2)) :]
    if is_webhook(address):
        for read in (urlsplit(address).hostname, parse_url(address).host):
            assert read in ("hooks.slack.com", "hooks.slack-gov.com")
        assert parse_url(address).url == address
