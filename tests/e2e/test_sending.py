"""What a user sees of the whole chain."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.client import RefusedError
from tests.e2e.conftest import wait_for

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack


def slack(channel: str = "C0DEPLOYS", **more: object) -> dict:
    return {"to": {"slack_channel": channel}, "channels": ["slack"], "content": {"text": "Build 42 is live"}, **more}


def email(address: str = "ada@example.com", **more: object) -> dict:
    content = {"subject": "Deploy finished", "text": "Build 42 is live"}
    return {"to": {"email": address}, "channels": ["email"], "content": content, **more}


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_one_notification_reaches_all_three_channels_and_is_acknowledged(stack: Stack):
    request = {
        "to": {"email": "ada@example.com", "phone": "+15550100001", "slack_channel": "C0DEPLOYS"},
        "channels": ["slack", {"channel": "whatsapp"}, "email"],
        "content": {"subject": "Deploy finished", "text": "Build 42 is live"},
    }
    seen = stack.ended(stack.send(request))
    assert {each["channel"]: each["status"] for each in seen["deliveries"]} == {
        "slack": "sent",
        "whatsapp": "sent",
        "email": "sent",
    }
    assert all(each["provider_message_id"] for each in seen["deliveries"])
    events = [step["event"] for step in seen["timeline"]]
    assert events[0] == "accepted"
    assert sorted(events[1:]) == sorted(["queued", "sending", "accepted", "acknowledged"] * 3)


def test_what_was_sent_stands_in_the_inbox_as_its_recipient_reads_it(stack: Stack):
    marker = "A line that stands nowhere else"
    stack.ended(stack.send(email("grace@example.com", content={"subject": "Hello", "text": marker})))
    (message,) = stack.providers.get("/inbox/messages?q=nowhere")["messages"]
    assert (message["channel"], message["subject"]) == ("email", "Hello")
    assert marker in message["text"]


@pytest.mark.parametrize("priority", ["high", "normal", "low"])
def test_a_scheduled_notification_is_never_early_and_at_most_a_second_late(stack: Stack, priority: str):
    stack.ended(stack.send(slack(priority=priority)))  # this lane's functions are warm
    channel = f"C0ON{priority.upper()}TIME"
    due = time.time() + 2
    stack.ended(stack.send(slack(channel, priority=priority, send_at=in_seconds(2))))
    (call,) = stack.calls(channel)
    late = datetime.fromisoformat(call["time"]).timestamp() - due
    assert 0 <= late + 0.05 <= 1.05


def test_a_notification_due_now_does_not_wait_for_a_tick(stack: Stack):
    began = time.monotonic()
    stack.ended(stack.send(slack(priority="high")))
    assert time.monotonic() - began < 20


def test_a_provider_that_fails_twice_gets_it_the_third_time_and_once(stack: Stack):
    seen = stack.ended(stack.send(email("edsger+503x2@example.com", priority="high")))
    (delivery,) = seen["deliveries"]
    assert [each["outcome"] for each in delivery["attempts"]] == ["unknown", "unknown", "accepted"]
    calls = stack.calls("edsger+503x2@example.com")
    assert [each["accepted"] for each in calls] == [False, False, True]
    assert len({each["idempotency_key"] for each in calls}) == 1


def test_a_throttle_is_waited_out_and_spends_no_attempt(stack: Stack):
    seen = stack.ended(stack.send(slack("C0OPSTHROTTLE2")))
    (delivery,) = seen["deliveries"]
    first, second = delivery["attempts"]
    assert (first["outcome"], first["decision"], second["outcome"]) == ("throttled", "park", "accepted")
    waited = datetime.fromisoformat(second["started_at"]) - datetime.fromisoformat(first["finished_at"])
    assert waited >= timedelta(seconds=2)


def test_a_message_whose_answer_was_lost_is_sent_again_unless_at_most_once_was_asked(stack: Stack):
    again = stack.ended(stack.send(slack("C0LOSTHANGUP", priority="high")))
    left = stack.ended(stack.send(slack("C0LOSTTOOHANGUP", priority="high", delivery_mode="at_most_once")))
    assert (again["status"], left["status"]) == ("sent", "unknown")
    assert len(stack.calls("C0LOSTHANGUP")) == 2
    assert len(stack.calls("C0LOSTTOOHANGUP")) == 1


def test_a_dead_letter_is_redriven_once_after_its_fault_is_gone(stack: Stack):
    address = "barbara@example.com"
    stack.providers.post("/_control/faults", {"recipient": address, "script": ["reject"], "channel": "email"})
    notification = stack.send(email(address))
    assert stack.ended(notification)["status"] == "failed"

    letter = wait_for(lambda: letter_of(stack, notification))
    assert "not valid" in letter["reason"]
    stack.providers.call("DELETE", f"/_control/faults/{address}")
    assert stack.api.post(letter["links"]["redrive"])["redriven_at"]
    assert wait_for(lambda: stack.read(notification)["status"] == "sent")
    with pytest.raises(RefusedError) as refused:
        stack.api.post(letter["links"]["redrive"])
    assert refused.value.problem["code"] == "not_redrivable"
    assert [each["accepted"] for each in stack.calls(address)] == [False, True]


def test_dead_letters_with_one_cause_are_previewed_and_redriven_together(stack: Stack):
    addresses = ["frances@example.com", "kathleen@example.com"]
    for each in addresses:
        stack.providers.post("/_control/faults", {"recipient": each, "script": ["reject"], "channel": "email"})
    notifications = [stack.send(email(each)) for each in addresses]
    assert [stack.ended(each)["status"] for each in notifications] == ["failed", "failed"]
    letters = [wait_for(lambda each=each: letter_of(stack, each)) for each in notifications]
    for each in addresses:
        stack.providers.call("DELETE", f"/_control/faults/{each}")

    (cause,) = {each["fingerprint"] for each in letters}
    group = next(g for g in stack.api.get("/v1/dead-letters/groups")["groups"] if g["fingerprint"] == cause)
    assert group["open"] >= 2
    meant = {"fingerprint": cause, "ids": [each["id"] for each in letters]}
    seen = stack.api.post("/v1/dead-letters/redrive/preview", meant)
    assert (seen["redrivable"], seen["recipients"]["count"]) == (2, 2)
    done = stack.api.post("/v1/dead-letters/redrive", {**meant, "max": 10, "per_second": 1})
    assert (done["redriven"], done["remaining"]) == (2, 0)
    for each, address in zip(notifications, addresses, strict=True):
        assert wait_for(lambda each=each: stack.read(each)["status"] == "sent")
        assert [call["accepted"] for call in stack.calls(address)] == [False, True]


def letter_of(stack: Stack, notification: dict) -> dict | None:
    letters = stack.api.get("/v1/dead-letters")["dead_letters"]
    return next((each for each in letters if each["notification_id"] == notification["id"]), None)


def test_a_cancelled_notification_is_never_sent(stack: Stack):
    notification = stack.send(slack("C0NEVERSENT", send_at=in_seconds(2)))
    assert stack.api.post(f"{notification['links']['self']}/cancel")["status"] == "cancelled"
    time.sleep(3)
    assert stack.read(notification)["status"] == "cancelled"
    assert stack.calls("C0NEVERSENT") == []


def test_a_moved_notification_is_sent_at_its_new_time(stack: Stack):
    notification = stack.send(slack("C0MOVED", send_at=in_seconds(3600)))
    moved = stack.api.call("PATCH", notification["links"]["self"], {"send_at": in_seconds(1)})
    seen = stack.ended(moved)
    assert seen["status"] == "sent"
    assert "moved" in [step["event"] for step in seen["timeline"]]


def test_cancelling_races_with_dispatching_and_never_both_win(stack: Stack):
    channels = [f"C0RACE{number:03d}Z" for number in range(40)]

    def race(channel: str) -> tuple[str, bool]:
        notification = stack.send(slack(channel, send_at=in_seconds(1.0)))
        time.sleep(0.95)
        try:
            stack.api.post(f"{notification['links']['self']}/cancel")
        except RefusedError as refused:
            if refused.problem["code"] != "not_cancellable":
                raise
            return channel, False
        return channel, True

    with ThreadPoolExecutor(20) as pool:
        cancelled = dict(pool.map(race, channels))
    time.sleep(3)
    for channel, stopped in cancelled.items():
        assert len(stack.calls(channel)) == (0 if stopped else 1), channel


def test_a_credential_that_its_provider_refuses_holds_deliveries_until_it_is_mended(stack: Stack):
    project = stack.operator("project", "create", "Held")["project_id"]
    token = stack.operator("token", "create", project)["token"]
    stack.operator("integration", "set", project, "slack", "--settings", '{"kind": "bot"}', stdin="xoxb-nofy-revoked")
    client = type(stack.api)(stack.api.api_url, token)
    notification = client.post("/v1/notifications", slack("C0HELD", priority="high"))
    assert wait_for(lambda: client.get(notification["links"]["self"])["status"] == "held")

    stack.operator("integration", "set", project, "slack", "--settings", '{"kind": "bot"}', stdin="xoxb-nofy-local")
    # The reconciler comes by each minute.
    assert wait_for(lambda: client.get(notification["links"]["self"])["status"] == "sent", patience=150)


def test_a_test_token_walks_the_whole_chain_and_reaches_nobody(stack: Stack):
    token = stack.operator("token", "create", stack.made["project_id"], "--mode", "test")["token"]
    client = type(stack.api)(stack.api.api_url, token)
    notification = client.post("/v1/notifications", slack("C0NOBODY", priority="high"))
    assert wait_for(lambda: client.get(notification["links"]["self"])["status"] == "sent")
    assert stack.calls("C0NOBODY") == []
    with pytest.raises(RefusedError) as refused:  # what a test token sent is no live token's business
        stack.read(notification)
    assert refused.value.status == 404


def test_an_incoming_webhook_needs_no_address(stack: Stack):
    project = stack.operator("project", "create", "Webhook")["project_id"]
    token = stack.operator("token", "create", project)["token"]
    url = stack.made["slack_api_url"].removesuffix("/api") + "/services/T0LOCAL/B0LOCAL/nofylocal"
    stack.operator("integration", "set", project, "slack", "--settings", '{"kind": "webhook"}', stdin=url)
    client = type(stack.api)(stack.api.api_url, token)
    request = {"channels": ["slack"], "content": {"text": "p95 over 800 ms"}, "priority": "high"}
    notification = client.post("/v1/notifications", request)
    assert wait_for(lambda: client.get(notification["links"]["self"])["status"] == "sent")
