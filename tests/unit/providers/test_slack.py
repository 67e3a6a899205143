"""Slack: the table of chat.postMessage (contract 1.2), of incoming webhooks (1.4), and what is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.credentials import SLACK_BOT_TOKEN, SLACK_WEBHOOK_PATH
from nofy.adapters.providers import http as http_module
from nofy.adapters.providers.http import Answer
from nofy.adapters.providers.slack import SlackClient, read_post, read_webhook
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
from tests.unit.domain.examples import DELIVERY, NOTIFICATION, message
from tests.unit.domain.strategies import json_values
from tests.unit.providers.tiny_server import TinyServer, reply

CONFIG, RECIPIENT, CONTENT = RejectionKind.CONFIG, RejectionKind.RECIPIENT, RejectionKind.CONTENT

# Contract 1.2, row by row.
ERRORS: dict[str, Any] = {
    "not_authed invalid_auth account_inactive token_revoked token_expired": CONFIG,
    "missing_scope no_permission not_allowed_token_type access_denied accesslimited team_access_not_granted": CONFIG,
    "two_factor_setup_required enterprise_is_restricted ekm_access_denied": CONFIG,
    "as_user_not_supported deprecated_endpoint method_deprecated metadata_must_be_sent_from_app": CONFIG,
    "team_not_found": CONFIG,
    "channel_not_found": RECIPIENT,
    "not_in_channel": RECIPIENT,
    "is_archived": RECIPIENT,
    "messages_tab_disabled": RECIPIENT,
    "restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel": RECIPIENT,
    "restricted_action_non_threadable_channel restricted_action_thread_locked cannot_reply_to_message": RECIPIENT,
    "slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked": RECIPIENT,
    "slack_connect_lists_sharing_blocked": RECIPIENT,
    "no_text msg_blocks_too_long invalid_blocks invalid_blocks_format markdown_text_conflict": CONTENT,
    "too_many_attachments too_many_contact_cards attachment_payload_limit_exceeded missing_file_data": CONTENT,
    "metadata_too_large invalid_metadata_format invalid_metadata_schema": CONTENT,
    "msg_too_long": CONTENT,
    "invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data": CONTENT,
    "invalid_post_type missing_post_type": CONTENT,
    "draft_already_deleted draft_already_sent draft_has_conflict draft_not_found": CONTENT,
    "duplicate_channel_not_found duplicate_message_not_found": CONTENT,
    "ratelimited rate_limited": Throttled,
    "message_limit_exceeded": Throttled,
    "internal_error fatal_error": Unknown,
    "service_unavailable": Transient,
    "request_timeout": Transient,
    "team_added_to_org org_login_required": Transient,
    "an_error_from_the_future": Transient,
}
ROWS = [(error, verdict) for errors, verdict in ERRORS.items() for error in errors.split()]


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


@pytest.mark.parametrize(("error", "verdict"), ROWS)
def test_an_error_of_chat_post_message_is_read_by_its_word(error: str, verdict: Any):
    outcome = read_post(answer(200, {"ok": False, "error": error}))
    if isinstance(verdict, RejectionKind):
        assert outcome == Rejected(verdict, error)
    else:
        assert outcome == verdict(error)


@pytest.mark.parametrize(
    "told",
    [
        answer(429, {"ok": False, "error": "ratelimited"}, retry_after="30"),
        answer(200, {"ok": False, "error": "ratelimited"}),
        answer(200, {"ok": False, "error": "rate_limited"}),
        answer(200, {"ok": False, "error": "message_limit_exceeded"}),
    ],
)
def test_a_throttle_of_chat_post_message_speaks_of_the_workspace(told: Answer):
    outcome = read_post(told)
    assert isinstance(outcome, Throttled)
    assert outcome.scope is ThrottleScope.INTEGRATION


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (answer(200, {"ok": True, "channel": "D0ADA", "ts": "1760000000.000100"}), Accepted("D0ADA:1760000000.000100")),
        (answer(429, {"ok": False, "error": "ratelimited"}, retry_after="30"), Throttled("ratelimited", 30)),
        (answer(429, b"<html>", retry_after="30"), Throttled("ratelimited", 30)),  # the body is not relied on
        (answer(429, b""), Throttled("ratelimited", None)),
        (answer(200, {"ok": False, "error": "rate_limited"}, retry_after="9"), Throttled("rate_limited", 9)),
        (answer(503, b"<html>"), Transient("HTTP 503")),
        (answer(503, {"ok": False, "error": "service_unavailable"}), Transient("HTTP 503")),
        (answer(500, {"ok": False, "error": "internal_error"}), Unknown("HTTP 500")),
        (answer(502, b"<html>"), Unknown("HTTP 502")),
        (answer(504, b""), Unknown("HTTP 504")),
        (answer(200, b"<html>"), Unknown("HTTP 200")),
        (answer(200, {"ok": "true", "ts": "1"}), Transient("HTTP 200")),  # only the real true is a yes
        (answer(200, {"ok": False}), Transient("HTTP 200")),
        (answer(302, b""), Unknown("HTTP 302")),
    ],
)
def test_the_verdict_of_chat_post_message_stands_in_its_body(told: Answer, outcome: Outcome):
    assert read_post(told) == outcome


# Contract 1.4, row by row.
@pytest.mark.parametrize(
    ("word", "status", "verdict"),
    [
        ("invalid_payload", 400, CONTENT),
        ("user_not_found", 400, RECIPIENT),
        ("no_text", 400, CONTENT),
        ("too_many_attachments", 400, CONTENT),
        ("invalid_blocks", 400, CONTENT),
        ("invalid_blocks_format", 400, CONTENT),
        ("action_prohibited", 403, CONFIG),
        ("invalid_token", 403, CONFIG),
        ("posting_to_general_channel_denied", 403, RECIPIENT),
        ("team_disabled", 403, CONFIG),
        ("channel_not_found", 404, RECIPIENT),
        ("no_service", 404, CONFIG),
        ("no_service_id", 404, CONFIG),
        ("no_team", 404, CONFIG),
        ("no_active_hooks", 404, CONFIG),
        ("channel_is_archived", 410, RECIPIENT),
        ("a_word_from_the_future", 400, CONTENT),
    ],
)
def test_a_refusal_of_a_webhook_is_read_by_its_word_whatever_its_status(word: str, status: int, verdict: RejectionKind):
    assert read_webhook(answer(status, word.encode())) == Rejected(verdict, word)
    assert read_webhook(answer(400, word.encode())) == Rejected(verdict, word)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (answer(200, b"ok"), Accepted(None)),  # a webhook gives no id to its messages
        (answer(200, b""), Accepted(None)),
        (answer(429, b"rate_limited", retry_after="1"), Throttled("rate_limited", 1, ThrottleScope.DESTINATION)),
        (answer(429, b""), Throttled("HTTP 429", None, ThrottleScope.DESTINATION)),
        (answer(500, b"rollup_error"), Transient("HTTP 500: rollup_error")),
        (answer(503, b""), Transient("HTTP 503: HTTP 503")),
    ],
)
def test_a_webhook_says_it_with_its_status(told: Answer, outcome: Outcome):
    assert read_webhook(told) == outcome


@given(st.sampled_from([200, 302, 400, 429, 500, 503]), json_values)
def test_no_answer_makes_reading_fail(status: int, body: Any):
    told = answer(status, body)
    assert isinstance(read_post(told), Outcome)
    assert isinstance(read_webhook(told), Outcome)


BOT = message(destination="C0DEPLOYS", content={"text": "Build 42"}, settings={"kind": "bot"})


def test_a_bot_posts_to_the_channel_with_opaque_ids_and_without_previews(http, run):
    with TinyServer([reply(200, b'{"ok": true, "channel": "C0DEPLOYS", "ts": "1.000001"}')]) as server:
        assert run(SlackClient(server.url + "/api/", http).call(BOT, "xoxb-x")) == Accepted("C0DEPLOYS:1.000001")
        (asked,) = server.asked
    assert asked.line == "POST /api/chat.postMessage HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer xoxb-x"
    assert asked.headers["content-type"] == "application/json;charset=utf-8"
    assert asked.json == {
        "channel": "C0DEPLOYS",
        "text": "Build 42",
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "nofy_delivery",
            "event_payload": {"delivery_id": str(DELIVERY), "notification_id": str(NOTIFICATION)},
        },
    }


def test_a_webhook_gets_the_content_alone_at_its_own_address(http, run):
    webhook = message(content={"text": "Build 42", "unfurl_links": True}, settings={"kind": "webhook"})
    with TinyServer([reply(200, b"ok")]) as server:
        address = server.url + "/services/T0/B0/X"
        assert run(SlackClient(server.url + "/api", http).call(webhook, address)) == Accepted()
        (asked,) = server.asked
    assert asked.line == "POST /services/T0/B0/X HTTP/1.1"
    assert "authorization" not in asked.headers
    assert asked.json == {"text": "Build 42", "unfurl_links": True, "unfurl_media": False}


@pytest.mark.parametrize("root", ["", "http://169.254.169.254", "https://hooks.slack.com.evil.example"])
def test_what_is_no_webhook_of_slack_is_not_called_whoever_sealed_it(http, run, root: str):
    webhook = message(content={"text": "Hi"}, settings={"kind": "webhook"})
    with TinyServer([reply(200, b"ok")]) as elsewhere:
        client = SlackClient("https://slack.com/api", http)
        outcome = run(client.call(webhook, (root or elsewhere.url) + "/services/T0/B0/secret99"))
        assert not elsewhere.asked
    assert isinstance(outcome, Rejected)
    assert outcome.kind is CONFIG
    assert "secret99" not in outcome.reason


@pytest.mark.parametrize(
    ("channel", "credential", "outcome"),
    [
        ("C0503X1", SLACK_BOT_TOKEN, Transient("HTTP 503")),
        ("C0DEMOTHROTTLE3", SLACK_BOT_TOKEN, Throttled("ratelimited", 3)),
        ("C0DEMORESET", SLACK_BOT_TOKEN, Unknown("no answer: ConnectionError")),
        ("C0DEMOHANGUP", SLACK_BOT_TOKEN, Unknown("no answer: ConnectionError")),
        ("C0DEMOINTERNAL", SLACK_BOT_TOKEN, Unknown("internal_error")),
        ("C404", SLACK_BOT_TOKEN, Rejected(RECIPIENT, "channel_not_found")),
        ("C0DEMOCONTENT", SLACK_BOT_TOKEN, Rejected(CONTENT, "invalid_blocks")),
        ("C0DEPLOYS", "xoxb-wrong", Rejected(CONFIG, "invalid_auth")),
    ],
)
def test_the_simulators_faults_are_read_as_what_they_are(simulators, http, run, channel, credential, outcome):
    client = SlackClient(f"{simulators.url}/slack/api", http)
    asked = message(destination=channel, content={"text": "Hi"}, settings={"kind": "bot"})
    assert run(client.call(asked, credential)) == outcome


def test_the_simulator_takes_what_the_client_sends(simulators, http, run):
    client = SlackClient(f"{simulators.url}/slack/api", http)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Build 42*"}}]
    outcome = run(
        client.call(message(destination="U0ADA", content={"text": "Grüße", "blocks": blocks}), SLACK_BOT_TOKEN)
    )
    (received,) = simulators.application.world.inbox.accepted_by("slack")
    assert outcome == Accepted(f"D0ADA:{received.provider_id}")  # a person's channel is a DM of its own
    assert received.correlation == str(DELIVERY)


def test_the_simulators_webhook_takes_what_the_client_sends(simulators, http, run):
    client = SlackClient(f"{simulators.url}/slack/api", http)
    webhook = message(content={"text": "Hi"}, settings={"kind": "webhook"})
    assert run(client.call(webhook, f"{simulators.url}/slack{SLACK_WEBHOOK_PATH}")) == Accepted()
    wrong = run(client.call(webhook, f"{simulators.url}/slack/services/T0LOCAL/B0LOCAL/revoked"))
    assert wrong == Rejected(CONFIG, "invalid_token")


def test_a_simulator_that_hangs_leaves_the_outcome_unknown(simulators, http, run, monkeypatch):
    monkeypatch.setattr(http_module, "PROVIDER_TIMEOUT", 0.2)
    client = SlackClient(f"{simulators.url}/slack/api", http)
    outcome = run(client.call(message(destination="C0DEMOHANG", content={"text": "Hi"}), SLACK_BOT_TOKEN))
    assert outcome == Unknown("no answer: TimeoutError")
