"""The fault language: the same words on every channel, chosen by the recipient."""

import http.client
import re
import time

import pytest

from local.simulators import faults
from local.simulators.faults import UnknownWord, nth, read_step, script_of

CHANNELS = ["slack", "email", "whatsapp"]
# word -> who asks for it, by channel.
RECIPIENTS = {
    "503x2": ("C0DEMO503X2", "ada+503x2@example.com", "+15550199503"),
    "503always": ("C0DEMO503ALWAYS", "ada+503always@example.com", "+15550199599"),
    "500": ("C0DEMO500X1", "ada+500@example.com", "+15550199500"),
    "html503": ("C0DEMOHTML503", "ada+html503@example.com", "+15550199504"),
    "throttle": ("C0DEMOTHROTTLE3", "ada+throttle3@example.com", "+15550199429"),
    "reject": ("C0DEMOREJECT", "ada+reject@example.com", "+15550199403"),
    "content": ("C0DEMOCONTENT", "ada+content@example.com", "+15550199400"),
    "config": ("C0DEMOCONFIG", "ada+config@example.com", "+15550199401"),
    "hangup": ("C0DEMOHANGUP", "ada+hangup@example.com", "+15550199520"),
    "reset": ("C0DEMORESET", "ada+reset@example.com", "+15550199521"),
    "internal": ("C0DEMOINTERNAL", "ada+internal@example.com", "+15550199550"),
    "slow": ("C0DEMOSLOW5", "ada+slow5@example.com", "+15550199505"),
    "hang": ("C0DEMOHANG", "ada+hang@example.com", "+15550199560"),
}


def cases(word):
    pairs = list(zip(CHANNELS, RECIPIENTS[word], strict=True))
    return pytest.mark.parametrize(("channel", "recipient"), pairs)


def said(answer):
    """The provider's own error, wherever it stands."""
    error = (answer.body or {}).get("error")
    if isinstance(error, dict):
        return error["code"]
    return error or (answer.body or {}).get("code")


def is_yes(answer):
    return answer.status in {200, 201} and (answer.body or {}).get("ok", True)


@cases("503x2")
def test_503x2_fails_twice_for_each_message_and_is_then_accepted(sim, channel, recipient):
    for about in ("dlv_1", "dlv_2"):
        answers = [sim.send(channel, recipient, about) for _ in range(4)]
        assert [answer.status for answer in answers[:2]] == [503, 503]
        assert all(is_yes(answer) for answer in answers[2:])

    assert len(sim.messages()) == 4


def test_without_a_correlation_the_recipient_is_counted(sim):
    statuses = [sim.slack("C0DEMO503X2", text=f"message {number}").status for number in range(4)]

    assert statuses == [503, 503, 200, 200]


@cases("503always")
def test_503always_never_ends(sim, channel, recipient):
    assert {sim.send(channel, recipient, "dlv_1").status for _ in range(5)} == {503}


@cases("500")
def test_other_statuses_can_be_asked_for(sim, channel, recipient):
    assert sim.send(channel, recipient).status == 500
    assert is_yes(sim.send(channel, recipient))


@cases("html503")
def test_html503_is_a_page_instead_of_json(sim, channel, recipient):
    answer = sim.send(channel, recipient)

    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert is_yes(sim.send(channel, recipient))


@cases("throttle")
def test_throttle_asks_once_to_come_back_later_in_the_providers_way(sim, channel, recipient):
    answer = sim.send(channel, recipient)

    assert {"slack": (429, "ratelimited"), "email": (429, "too_many_requests"), "whatsapp": (400, 130429)}[channel] == (
        answer.status,
        said(answer),
    )
    assert answer.headers["Retry-After"] == {"slack": "3"}.get(channel)
    assert answer.headers["x-sib-ratelimit-reset"] == {"email": "3"}.get(channel)
    assert is_yes(sim.send(channel, recipient))
    assert sim.outcomes() == [("throttled", False), ("accepted", True)]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("reject", [(200, "channel_not_found"), (400, "invalid_parameter"), (400, 131026)]),
        ("content", [(200, "invalid_blocks"), (400, "invalid_parameter"), (400, 131009)]),
        ("config", [(200, "invalid_auth"), (401, "unauthorized"), (401, 190)]),
    ],
)
def test_reject_content_and_config_are_refused_for_good(sim, word, expected):
    for channel, recipient, answer in zip(CHANNELS, RECIPIENTS[word], expected, strict=True):
        calls = [sim.send(channel, recipient) for _ in range(3)]
        assert [(call.status, said(call)) for call in calls] == [answer] * 3

    assert sim.messages() == []
    assert len(sim.messages(outcome="refused")) == 9


@cases("hangup")
def test_hangup_stores_the_message_and_closes_without_an_answer_once(sim, channel, recipient):
    with pytest.raises(http.client.RemoteDisconnected):
        sim.send(channel, recipient)
    assert [message["outcome"] for message in sim.messages()] == ["hangup"]

    assert is_yes(sim.send(channel, recipient))
    assert [(call["outcome"], call["status"] is None) for call in sim.ledger()] == [
        ("hangup", True),
        ("accepted", False),
    ]


def test_after_a_hangup_brevo_knows_the_key_and_sends_nothing_twice(sim):
    headers = {"idempotencyKey": "5b0b4a0e-6f0d-4c9b-9f39-0d5a4f1f7f10", "X-Mailin-custom": "dlv_1"}

    with pytest.raises(http.client.RemoteDisconnected):
        sim.email("ada+hangup@example.com", headers=headers)

    assert sim.email("ada+hangup@example.com", headers=headers).body["code"] == "duplicate_parameter"
    assert len(sim.messages()) == 1


@cases("reset")
def test_reset_closes_the_connection_before_anything_is_stored_once(sim, channel, recipient):
    with pytest.raises(ConnectionResetError):
        sim.send(channel, recipient)
    assert sim.messages() == []

    assert is_yes(sim.send(channel, recipient))


@cases("internal")
def test_internal_reports_an_error_after_it_stored_the_message_once(sim, channel, recipient):
    answer = sim.send(channel, recipient)

    assert (answer.status, said(answer)) == {
        "slack": (200, "internal_error"),
        "email": (500, "internal_server_error"),
        "whatsapp": (500, 131000),
    }[channel]
    assert [message["outcome"] for message in sim.messages()] == ["internal"]
    assert is_yes(sim.send(channel, recipient))


@cases("slow")
def test_slow_recipients_are_answered_five_seconds_later(channel, recipient):
    step = script_of(channel, recipient.removeprefix("+"))[0]

    assert (step.word, step.seconds, step.times) == ("slow", 5.0, None)


@pytest.mark.parametrize("channel", CHANNELS)
def test_slow_stores_and_answers_properly_after_its_seconds(sim, channel):
    sim.script("*", "slow0.2")
    begun = time.monotonic()

    recipient = {"slack": "C0DEMO", "email": "a@b.example", "whatsapp": "+15550100001"}[channel]
    assert is_yes(sim.send(channel, recipient))
    assert 0.2 <= time.monotonic() - begun < 2


@cases("hang")
def test_hang_never_answers_and_stores_nothing(sim, channel, recipient):
    with pytest.raises(TimeoutError):
        sim.send(channel, recipient, timeout=0.3)

    assert sim.messages() == []
    assert sim.outcomes() == [("hang", False)]


def test_words_of_an_address_make_a_sequence(sim):
    answers = [sim.email("ada+500+throttle7+contentx1@example.com") for _ in range(4)]

    assert [answer.status for answer in answers] == [500, 429, 400, 201]


def test_a_slack_id_can_hold_a_sequence_too(sim):
    statuses = [sim.slack("C0DEMO503X1THROTTLE2REJECTX1").status for _ in range(3)]

    assert statuses == [503, 429, 200]
    assert is_yes(sim.slack("C0DEMO503X1THROTTLE2REJECTX1"))


@pytest.mark.parametrize(
    "recipient",
    ["C0000000503", "C0429", "C024BE91L", "U0HANGOVER", "D0503", "C0SLOW", "C0RESETTLED"],
)
def test_ids_that_only_look_like_words_are_healthy(sim, recipient):
    assert is_yes(sim.slack(recipient))


@pytest.mark.parametrize(
    "recipient", ["ada+news@example.com", "503x2@example.com", "ada@503x2.example", "a+5034@b.example"]
)
def test_addresses_that_only_look_like_words_are_healthy(sim, recipient):
    assert is_yes(sim.email(recipient))


def test_only_the_reserved_phone_numbers_have_a_meaning(sim):
    assert is_yes(sim.whatsapp("+15550100503"))
    assert is_yes(sim.whatsapp("+15550199123"))


def test_every_word_of_the_phone_table_can_be_read():
    assert all(read_step(word) for word in faults.PHONE_WORDS.values())


def test_the_number_with_the_closed_window_takes_templates_only(sim):
    to = "+15550199447"

    assert sim.whatsapp(to).body["error"]["code"] == 131047
    assert sim.template("deploy_finished", "42", "Berlin", to=to).status == 200


def test_webhooks_carry_the_words_in_their_path(sim):
    def post(service):
        answer = sim.webhook({"text": "x"}, service=service)
        return answer.status, answer.text

    assert post("B0LOCAL503X1")[0] == 503
    assert post("B0LOCAL503X1") == (200, "ok")
    assert post("B0LOCALREJECT") == (404, "channel_not_found")
    assert post("B0LOCALCONTENT") == (400, "invalid_payload")
    assert post("B0LOCALCONFIG") == (403, "invalid_token")
    assert post("B0LOCALINTERNAL") == (500, "rollup_error")
    assert post("B0LOCALTHROTTLE2")[0] == 429
    assert sorted(message["to"] for message in sim.messages()) == ["B0LOCAL503X1", "B0LOCALINTERNAL"]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("503", "503x1"),
        ("503x2", "503x2"),
        ("throttle3", "throttle3x1"),
        ("throttle", "throttlex1"),
        ("slow0.5", "slow0.5always"),
        ("REJECT", "rejectalways"),
        ("rejectx2", "rejectx2"),
        ("hangup", "hangupx1"),
        ("error:not_in_channel", "error:not_in_channelalways"),
        ("error:131056x1", "error:131056x1"),
        ("ok", "okx1"),
    ],
)
def test_a_step_reads_back_as_what_it_means(word, shown):
    assert str(read_step(word)) == shown
    assert read_step(shown) == read_step(word)


@pytest.mark.parametrize("word", [" ", "teapot", "418", "503x", "slow", "throttle-1", "error:", "hang up"])
def test_unknown_words_are_no_words(word):
    with pytest.raises(UnknownWord, match=re.escape(word)):
        read_step(word)


def test_a_sequence_is_walked_step_by_step_and_then_accepts():
    script = [read_step(word) for word in ("503x2", "ok", "throttle")]

    assert [str(nth(script, number).word) for number in range(6)] == [
        "status", "status", "ok", "throttle", "ok", "ok",
    ]  # fmt: skip
