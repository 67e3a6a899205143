"""Faults at run time, the ledger and the reset."""

import threading

import pytest

from local.simulators import faults
from local.simulators.faults import FaultBook


def test_a_script_makes_any_recipient_misbehave(sim):
    assert sim.script("ada@example.com", "503", "throttle2", "ok", "reject").body["script"] == [
        "503x1", "throttle2x1", "okx1", "rejectalways",
    ]  # fmt: skip

    assert [sim.email("Ada@Example.com", about="dlv_1").status for _ in range(5)] == [503, 429, 201, 400, 400]
    assert sim.email("grace@example.com").status == 201


def test_a_fault_that_is_gone_is_gone_even_if_the_address_asks_for_it(sim):
    assert sim.email("ada+reject@example.com").status == 400

    sim.heal("ada+reject@example.com")

    assert sim.email("ada+reject@example.com").status == 201


def test_healing_a_phone_number_opens_its_window(sim):
    sim.heal("+15550199447")

    assert sim.whatsapp("+15550199447").status == 200


def test_forgetting_what_was_set_lets_addresses_speak_again(sim):
    sim.heal("ada+reject@example.com")
    sim.script("grace@example.com", "503always")

    sim.call("DELETE", "/_control/faults")

    assert sim.email("ada+reject@example.com").status == 400
    assert sim.email("grace@example.com").status == 201


def test_an_outage_hits_everybody_on_one_channel_until_it_is_over(sim):
    sim.script("*", "503always", channel="slack")
    assert sim.slack("C0ONE").status == sim.slack("U0TWO").status == 503
    assert sim.email().status == 201

    sim.heal("*")
    assert sim.slack("C0ONE").status == 200


def test_a_recipients_own_script_comes_before_everybodys(sim):
    sim.script("*", "503always")
    sim.script("C0ONE", "ok")

    assert sim.slack("C0ONE").status == 200
    assert sim.slack("C0TWO").status == 503


def test_counting_can_be_per_recipient_instead_of_per_message(sim):
    sim.script("C0DEMO", "503x2", per="recipient")

    assert [sim.slack("C0DEMO", about=f"dlv_{number}").status for number in range(3)] == [503, 503, 200]


def test_a_script_set_again_counts_anew(sim):
    for _ in range(2):
        sim.script("C0DEMO", "503")
        assert [sim.slack("C0DEMO", about="dlv_1").status for _ in range(2)] == [503, 200]


def test_any_error_of_a_provider_can_be_scripted_by_its_code(sim):
    sim.script("C0DEMO", "error:not_in_channel")
    sim.script("ada@example.com", "error:not_enough_credits")
    sim.script("+15550100001", "error:131048x1")

    assert sim.slack("C0DEMO").body["error"] == "not_in_channel"
    credit = sim.email("ada@example.com")
    assert (credit.status, credit.body["code"]) == (402, "not_enough_credits")
    assert sim.whatsapp("+15550100001").body["error"]["code"] == 131048
    assert sim.outcomes()[-1] == ("throttled", False)
    assert sim.whatsapp("+1 (555) 010-0001").status == 200


def test_what_is_set_can_be_seen(sim):
    sim.script("+15550100001", "503", channel="whatsapp")

    assert sim.call("GET", "/_control/faults").body == [
        {"recipient": "15550100001", "channel": "whatsapp", "script": ["503x1"], "per": "message"}
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {},
        {"recipient": "C0DEMO"},
        {"recipient": "C0DEMO", "script": "503"},
        {"recipient": "C0DEMO", "script": ["teapot"]},
        {"recipient": "C0DEMO", "script": [], "channel": "pigeon"},
        {"recipient": "C0DEMO", "script": [], "per": "day"},
    ],
)
def test_a_control_call_that_makes_no_sense_is_told_why(sim, body):
    answer = sim.call("POST", "/_control/faults", body)

    assert answer.status == 400
    assert answer.body["error"]


def test_an_unknown_control_is_answered_with_the_known_ones(sim):
    answer = sim.call("POST", "/_control/nonsense", {})

    assert answer.status == 404
    assert "POST faults" in answer.body["controls"]


def test_the_ledger_holds_every_send_whatever_came_of_it(sim):
    sim.slack("C0DEMO503X1", about="dlv_1")
    sim.slack("C0DEMO503X1", about="dlv_1")
    sim.slack("C0DEMO", token="xoxb-wrong", about="dlv_2")
    sim.call("POST", "/slack/api/auth.test", b"{}")

    calls = sim.ledger()
    assert [(call["correlation"], call["outcome"], call["why"], call["status"]) for call in calls] == [
        ("dlv_1", "unavailable", "503", 503),
        ("dlv_1", "accepted", "", 200),
        ("dlv_2", "refused", "invalid_auth", 200),
    ]
    assert {(call["provider"], call["channel"]) for call in calls} == {("slack", "slack")}
    assert calls[1]["message_id"] == sim.messages()[0]["id"]
    assert calls[0]["time"].endswith("Z")


def test_the_ledger_can_be_read_on_and_narrowed(sim):
    for number in range(4):
        sim.email(f"a{number}@example.com", about=f"dlv_{number}")

    second = sim.ledger()[1]
    assert [call["correlation"] for call in sim.ledger(since=second["seq"])] == ["dlv_2", "dlv_3"]
    assert [call["recipient"] for call in sim.ledger(correlation="dlv_3")] == ["a3@example.com"]
    assert sim.ledger(outcome="refused") == []
    assert sim.call("GET", "/_control/ledger?since=yesterday").status == 400


def test_ledger_and_inbox_survive_a_restart(restartable):
    first = restartable()
    first.slack("C0DEMO", about="dlv_1")
    first.email("ada+reject@example.com")

    second = restartable()

    assert [call["correlation"] for call in second.ledger()] == ["dlv_1", ""]
    assert [message["channel"] for message in second.messages(outcome="all")] == ["slack", "email"]
    second.slack("C0DEMO")
    assert [call["seq"] for call in second.ledger()] == [1, 2, 3]


def test_a_reset_is_as_on_the_first_start(sim):
    sim.script("C0DEMO", "503always")
    sim.email(headers={"idempotencyKey": "5b0b4a0e-6f0d-4c9b-9f39-0d5a4f1f7f10"})
    sim.slack("U0ADA503X1")

    assert sim.call("POST", "/_control/reset").body == {"reset": True}

    assert sim.ledger() == sim.messages(outcome="all") == []
    assert sim.slack("C0DEMO").status == 200
    assert sim.slack("U0ADA503X1").status == 503
    assert sim.email(headers={"idempotencyKey": "5b0b4a0e-6f0d-4c9b-9f39-0d5a4f1f7f10"}).status == 201


def test_a_page_of_another_site_cannot_pull_the_levers_or_read_the_inbox(sim):
    for method, path in (("POST", "/_control/reset"), ("GET", "/inbox/messages")):
        assert sim.call(method, path, sec_fetch_site="cross-site").status == 403
        assert sim.call(method, path, sec_fetch_site="same-origin").status == 200


def test_two_calls_with_one_key_at_once_cannot_both_get_through(sim):
    headers = {"idempotencyKey": "5b0b4a0e-6f0d-4c9b-9f39-0d5a4f1f7f10"}
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(sim.email(headers=headers).status)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, *[400] * 7]


def test_counters_are_bounded(monkeypatch):
    monkeypatch.setattr(faults, "COUNTERS_KEPT", 10)
    book = FaultBook()
    for number in range(50):
        book.next("slack", "C0DEMO503X2", f"dlv_{number}")

    assert len(book._calls) == 10
