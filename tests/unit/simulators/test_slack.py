"""chat.postMessage and auth.test, as reference section 1 has them."""

import json

import pytest

from local.simulators import credentials


def test_a_post_is_answered_with_channel_and_ts_and_slacks_version_of_the_message(sim):
    answer = sim.slack("C0DEMO", text="hello")

    assert answer.status == 200
    assert answer.body["ok"] is True
    assert answer.body["channel"] == "C0DEMO"
    assert answer.body["message"]["text"] == "hello"
    assert answer.body["message"]["ts"] == answer.body["ts"]


def test_ts_are_strings_with_six_decimals_that_strictly_increase(sim):
    stamps = [sim.slack().body["ts"] for _ in range(50)]

    assert all(len(stamp.partition(".")[2]) == 6 for stamp in stamps)
    assert sorted(set(stamps), key=float) == stamps


@pytest.mark.parametrize(("user", "conversation"), [("U0ADA", "D0ADA"), ("W0ADA", "D0ADA"), ("D0ADA", "D0ADA")])
def test_a_person_is_answered_with_the_id_of_the_direct_conversation(sim, user, conversation):
    assert sim.slack(user).body["channel"] == conversation


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, "not_authed"),
        ("xoxb-wrong", "invalid_auth"),
        (credentials.SLACK_REVOKED_TOKEN, "token_revoked"),
    ],
)
def test_bad_tokens_are_refused_with_http_200(sim, token, error):
    answer = sim.slack(token=token)

    assert (answer.status, answer.body) == (200, {"ok": False, "error": error})


def test_a_token_made_from_the_known_one_is_good_so_that_projects_can_differ(sim):
    assert sim.slack(token=f"{credentials.SLACK_BOT_TOKEN}-second").body["ok"] is True


def test_a_token_inside_a_json_body_is_not_honoured(sim):
    body = {"token": credentials.SLACK_BOT_TOKEN, "channel": "C0DEMO", "text": "x"}

    assert sim.call("POST", "/slack/api/chat.postMessage", body).body["error"] == "not_authed"


def test_a_form_may_carry_its_token_and_its_blocks_as_text(sim):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hi*"}}]

    answer = sim.slack_form(channel="C0DEMO", text="hi", blocks=json.dumps(blocks))

    assert answer.body["ok"] is True
    assert sim.messages()[0]["content"]["blocks"] == blocks


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": []}, "no_text"),
        ({"text": "x", "attachments": [{"text": "x"}] * 101}, "too_many_attachments"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"markdown_text": "y" * 12_001}, "msg_too_long"),
        ({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "x", "blocks": "no list"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": ["no object"]}, "invalid_blocks_format"),
        ({"blocks": [{"type": "no_such_block"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]},
            "invalid_blocks",
        ),
        (
            {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}]},
            "invalid_blocks",
        ),
        ({"blocks": [{"type": "section", "fields": 5}]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
            "invalid_blocks",
        ),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "context", "elements": []}]}, "invalid_blocks"),
        ({"blocks": [{"type": "image", "image_url": "https://example.com/a.png"}]}, "invalid_blocks"),
        (
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 5},
            "msg_blocks_too_long",
        ),
    ],
)
def test_content_that_slack_would_refuse_is_refused(sim, body, error):
    answer = sim.slack(**body)

    assert (answer.status, answer.body["ok"], answer.body["error"]) == (200, False, error)


@pytest.mark.parametrize("channel", ["", "#nowhere", "nowhere", "C404", "C404LOST", "U404", "c0demo", "X0DEMO"])
def test_unknown_channels_are_not_found(sim, channel):
    assert sim.slack(channel).body["error"] == "channel_not_found"


def test_an_archived_channel_is_named_so(sim):
    assert sim.slack("CARCHIVED1").body["error"] == "is_archived"


def test_a_known_public_name_is_answered_with_its_id(sim):
    assert sim.slack("#general").body["channel"] == "C0GENERAL"


def test_text_beyond_forty_thousand_characters_is_cut_and_still_ok(sim):
    answer = sim.slack(text="x" * 40_001)

    assert answer.body["ok"] is True
    assert len(answer.body["message"]["text"]) == 40_000


def test_json_without_a_charset_is_warned_about_and_sent(sim):
    answer = sim.call(
        "POST",
        "/slack/api/chat.postMessage",
        {"channel": "C0DEMO", "text": "x"},
        content_type="application/json",
        authorization=f"Bearer {credentials.SLACK_BOT_TOKEN}",
    )

    assert answer.body["ok"] is True
    assert answer.body["response_metadata"]["warnings"] == ["missing_charset"]


@pytest.mark.parametrize(
    ("content_type", "raw", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "invalid_json"),
        ("text/plain", b"text=x", "invalid_post_type"),
        ("", b"text=x", "missing_post_type"),
    ],
)
def test_bodies_it_cannot_read_are_named(sim, content_type, raw, error):
    answer = sim.call(
        "POST",
        "/slack/api/chat.postMessage",
        raw,
        content_type=content_type,
        authorization=f"Bearer {credentials.SLACK_BOT_TOKEN}",
    )

    assert answer.body["error"] == error


def test_one_message_a_second_and_channel_past_the_burst(limited):
    assert [limited.slack("C0DEMO").status for _ in range(3)] == [200, 200, 429]
    throttled = limited.slack("C0DEMO")
    assert int(throttled.headers["Retry-After"]) >= 1
    assert throttled.body == {"ok": False, "error": "ratelimited"}

    assert limited.slack("C0OTHER").status == 200
    limited.clock.ahead += 1.1
    assert limited.slack("C0DEMO").status == 200


def test_without_the_switch_nothing_is_rate_limited(sim):
    assert {sim.slack("C0DEMO").status for _ in range(60)} == {200}


def test_auth_test_tells_whose_token_it_is(sim):
    def check(token):
        return sim.call("POST", "/slack/api/auth.test", b"{}", authorization=f"Bearer {token}").body

    assert check(credentials.SLACK_BOT_TOKEN)["ok"] is True
    assert check("xoxb-wrong") == {"ok": False, "error": "invalid_auth"}


def test_a_method_it_does_not_know_is_an_unknown_method(sim):
    assert sim.call("POST", "/slack/api/chat.update", {}).body["error"] == "unknown_method"


def test_a_webhook_answers_ok_in_plain_text(sim):
    answer = sim.webhook({"text": "hello"})

    assert (answer.status, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert sim.messages()[0]["to"] == "B0LOCAL"


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/slack/services/T0OTHER/B0LOCAL/nofylocal", 404, "no_team"),
        ("/slack/services/T0LOCAL/B0OTHER/nofylocal", 404, "no_service"),
        ("/slack/services/T0LOCAL/B0LOCAL/guessed", 403, "invalid_token"),
    ],
)
def test_a_webhook_url_that_is_not_known_is_refused_with_its_word(sim, path, status, word):
    answer = sim.webhook({"text": "hello"}, path=path)

    assert (answer.status, answer.text) == (status, word)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"text": ""}, "no_text"),
        (b"{", "invalid_payload"),
        ({"text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"blocks": [{"type": "no_such_block"}]}, "invalid_blocks"),
    ],
)
def test_a_webhook_refuses_content_with_a_plain_word(sim, body, word):
    answer = sim.webhook(body)

    assert (answer.status, answer.text) == (400, word)


def test_a_webhook_is_limited_like_a_channel(limited):
    answers = [limited.webhook({"text": "x"}) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
