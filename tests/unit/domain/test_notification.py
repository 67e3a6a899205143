"""What a client asks for, and the plan made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from nofy.domain.errors import InvalidRequestError
from nofy.domain.notification import DEFAULT_LIFETIME, MAX_AHEAD, Draft, PlannedNotification, Principal, plan
from nofy.domain.routing import Channel, MessageClass, Priority, Provider
from tests.unit.domain.examples import NOW, draft, integration, principal, seconds

SLACK, EMAIL, WHATSAPP = Channel.SLACK, Channel.EMAIL, Channel.WHATSAPP


def planned(asked: Draft, who: Principal | None = None) -> PlannedNotification:
    numbers = count(1)
    return plan(asked, who or principal(), lambda _: UUID(int=next(numbers)), NOW)


def errors(asked: Draft, who: Principal | None = None) -> set[tuple[str, str]]:
    with pytest.raises(InvalidRequestError) as refused:
        planned(asked, who)
    return {(each.path, each.code) for each in refused.value.errors}


def test_a_notification_becomes_one_delivery_for_each_of_its_channels():
    made = planned(draft())
    assert [(each.lane.name, each.provider, each.destination) for each in made.deliveries] == [
        ("slack.normal", Provider.SLACK, "C0DEPLOYS"),
        ("email.normal", Provider.BREVO, "ada@example.com"),
        ("whatsapp.normal", Provider.WHATSAPP, "+15550100001"),
    ]
    assert len({made.notification_id, *(each.delivery_id for each in made.deliveries)}) == 4


def test_deliveries_are_in_the_order_of_the_channels_however_their_ids_come():
    asked, falling = draft(channels=(Channel.WHATSAPP, Channel.SLACK, Channel.EMAIL)), count(99, -1)
    made = plan(asked, principal(), lambda _: UUID(int=next(falling)), NOW)
    by_id = sorted(made.deliveries, key=lambda each: each.delivery_id)
    assert [each.lane.channel for each in by_id] == list(asked.channels)


def test_each_delivery_carries_what_its_channel_shows():
    slack, email, _ = planned(draft()).deliveries
    assert slack.content == {"text": "Build 42 is live"}
    assert email.content["subject"] == "Deploy finished"


@pytest.mark.parametrize(
    ("asked", "priority"),
    [
        (draft(message_class=MessageClass.CRITICAL), Priority.HIGH),
        (draft(), Priority.NORMAL),
        (draft(message_class=MessageClass.BULK), Priority.LOW),
        (draft(message_class=MessageClass.BULK, priority=Priority.HIGH), Priority.HIGH),
    ],
)
def test_the_class_decides_the_lane_unless_the_caller_does(asked: Draft, priority: Priority):
    made = planned(asked)
    assert made.priority is priority
    assert {each.lane.priority for each in made.deliveries} == {priority}


def test_it_is_due_at_once_unless_a_time_is_given():
    assert planned(draft()).send_at == NOW
    assert planned(draft(send_at=NOW + seconds(90))).send_at == NOW + seconds(90)


def test_a_time_in_the_past_means_now():
    assert planned(draft(send_at=NOW - timedelta(days=400))).send_at == NOW


def test_it_expires_three_days_after_its_time_unless_asked_otherwise():
    assert planned(draft(send_at=NOW + seconds(90))).expires_at == NOW + seconds(90) + DEFAULT_LIFETIME
    assert planned(draft(expires_at=NOW + seconds(1))).expires_at == NOW + seconds(1)


def test_an_incoming_webhook_posts_where_it_was_made_for():
    webhook = principal(integrations=(integration(SLACK, settings={"kind": "webhook"}),))
    (delivery,) = planned(draft(channels=(SLACK,), to={}), webhook).deliveries
    assert delivery.destination == "incoming-webhook"


def test_the_default_integration_of_a_channel_is_taken():
    other = integration(SLACK, integration_id=UUID(int=9), is_default=False)
    who = principal(integrations=(other, integration(SLACK)))
    (delivery,) = planned(draft(channels=(SLACK,)), who).deliveries
    assert delivery.integration_id == integration(SLACK).integration_id


def test_an_integration_that_is_not_the_default_is_not_taken():
    who = principal(integrations=(integration(SLACK, is_default=False),))
    assert errors(draft(channels=(SLACK,)), who) == {("/channels/0", "integration_missing")}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (draft(to={}), {("/to/slack_channel", "address_missing"), ("/to/email", "address_missing")}
            | {("/to/phone", "address_missing")}),
        (draft(content={}), {("/content/text", "required"), ("/content/subject", "required")}),
        (draft(send_at=NOW + MAX_AHEAD + seconds(1)), {("/send_at", "too_far_ahead")}),
        (draft(send_at=NOW + MAX_AHEAD), set()),
        (draft(expires_at=NOW), {("/expires_at", "already_past")}),
        (draft(expires_at=NOW - seconds(1)), {("/expires_at", "already_past")}),
        (draft(send_at=NOW + seconds(60), expires_at=NOW + seconds(60)), {("/expires_at", "already_past")}),
        (draft(send_at=NOW + seconds(60), expires_at=NOW + seconds(61)), set()),
        (draft(expires_at=NOW + 2 * MAX_AHEAD + seconds(1)), {("/expires_at", "too_far_ahead")}),
        (
            draft(to={}, content={}, channels=(EMAIL,), expires_at=NOW, send_at=NOW + 2 * MAX_AHEAD),
            {
                ("/to/email", "address_missing"),
                ("/content/subject", "required"),
                ("/content/text", "required"),
                ("/expires_at", "already_past"),
                ("/send_at", "too_far_ahead"),
            },
        ),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_told_at_once(asked: Draft, found: set[tuple[str, str]]):
    if found:
        assert errors(asked) == found
    else:
        assert planned(asked)


def test_a_channel_without_an_integration_is_told_by_its_place_in_the_list():
    assert errors(draft(), principal(EMAIL)) == {
        ("/channels/0", "integration_missing"),
        ("/channels/2", "integration_missing"),
    }


def test_an_error_is_told_once_and_in_order():
    with pytest.raises(InvalidRequestError) as refused:
        planned(replace(draft(content={}), channels=(SLACK, WHATSAPP, SLACK)))
    told = [(each.path, each.message) for each in refused.value.errors]
    assert told == sorted(set(told))


def test_a_channel_that_stands_twice_is_refused_for_it_would_be_sent_twice():
    assert ("/channels/2", "duplicate") in errors(replace(draft(), channels=(SLACK, EMAIL, SLACK)))
