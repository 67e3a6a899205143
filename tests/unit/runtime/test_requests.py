"""From a body's bytes to a draft, or to every error in it at once."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nofy.domain.edit import Edit
from nofy.domain.errors import InvalidRequestError, MalformedRequestError, NofyError, TooLargeError
from nofy.domain.notification import Draft, Principal, plan
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import Channel, MessageClass, Priority
from nofy.runtime import clock
from nofy.runtime.api.bodies import MAX_BODY, MAX_DEPTH, MAX_VALUES, parse_json
from nofy.runtime.api.models import BatchRequest, NotificationsQuery
from nofy.runtime.api.requests import read, read_edit, read_notification
from tests.unit.domain.examples import NOW, integration, principal
from tests.unit.domain.strategies import json_values

SOUND: dict[str, Any] = {
    "to": {"email": "ada@example.com", "phone": "+15550100001", "slack_channel": "C0DEPLOYS"},
    "channels": ["slack", {"channel": "whatsapp"}, "email"],
    "content": {"subject": "Deploy finished", "text": "Build 42 is live"},
}
TEXT = SOUND["content"]


def draft_of(body: Any, who: Principal | None = None) -> Draft:
    return read_notification(parse_json(json.dumps(body).encode()), who or principal(), NOW)


def errors_of(body: Any, who: Principal | None = None) -> set[tuple[str, str]]:
    """As a request meets them: what is ill-formed by itself, else what is wrong between well-formed fields."""
    try:
        plan(draft_of(body, who), who or principal(), clock.new_id.born_at, NOW)
    except InvalidRequestError as error:
        return {(each.path, each.code) for each in error.errors}
    return set()


def test_a_request_becomes_a_draft():
    berlin = "2026-12-01T09:00:00+01:00"
    asked = SOUND | {
        "class": "bulk",
        "priority": "high",
        "send_at": berlin,
        "expires_at": "2026-12-02T09:00:00Z",
        "delivery_mode": "at_most_once",
        "reference": "order-1",
        "tags": ["deploy", "Grüße"],
        "metadata": {"order": {"id": 1}},
    }
    assert draft_of(asked) == Draft(
        to=SOUND["to"],
        channels=(Channel.SLACK, Channel.WHATSAPP, Channel.EMAIL),
        content=TEXT,
        message_class=MessageClass.BULK,
        priority=Priority.HIGH,
        send_at=datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=1))),
        expires_at=datetime(2026, 12, 2, 9, 0, tzinfo=UTC),
        delivery_mode=DeliveryMode.AT_MOST_ONCE,
        reference="order-1",
        tags=("deploy", "Grüße"),
        metadata={"order": {"id": 1}},
    )


def test_what_was_not_said_has_its_default():
    made = draft_of(SOUND)
    assert (made.message_class, made.priority, made.delivery_mode) == (
        MessageClass.TRANSACTIONAL,
        None,
        DeliveryMode.AT_LEAST_ONCE,
    )
    assert (made.send_at, made.expires_at, made.reference, made.tags, made.metadata) == (None, None, None, (), {})


def test_content_is_kept_as_it_was_written_nulls_inside_blocks_included():
    blocks = [{"type": "section", "accessory": None}]
    made = draft_of(SOUND | {"content": TEXT | {"slack": {"blocks": blocks}, "email": {"html": "<p>"}}})
    assert made.content == TEXT | {"slack": {"blocks": blocks}, "email": {"html": "<p>"}}


ADDRESSES = {
    ("/to/email", "address_missing"),
    ("/to/phone", "address_missing"),
    ("/to/slack_channel", "address_missing"),
}


# What is changed in a sound body, and exactly the errors that come of it.
@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({}, set()),
        ({"to": {}}, ADDRESSES),
        ({"to": None}, {("/to", "invalid")}),
        ({"to": "ada@example.com"}, {("/to", "invalid")}),
        ({"to": SOUND["to"] | {"email": "ada"}}, {("/to/email", "invalid")}),
        ({"to": SOUND["to"] | {"email": "ada@example.com\n"}}, {("/to/email", "invalid")}),
        ({"to": SOUND["to"] | {"email": "ada@example.com>\r\nBcc: x@y.z"}}, {("/to/email", "invalid")}),
        ({"to": SOUND["to"] | {"phone": "15550100001"}}, {("/to/phone", "invalid")}),
        ({"to": SOUND["to"] | {"phone": 15550100001}}, {("/to/phone", "invalid")}),
        ({"to": SOUND["to"] | {"slack_channel": "a b"}}, {("/to/slack_channel", "invalid")}),
        ({"to": SOUND["to"] | {"fax": "1"}}, {("/to/fax", "unknown_field")}),
        ({"channels": []}, {("/channels", "required")}),
        ({"channels": ["sms"]}, {("/channels/0", "unknown_value")}),
        ({"channels": ["email", {"channel": "sms"}]}, {("/channels/1", "unknown_value")}),  # told like "sms"
        ({"channels": [None]}, {("/channels/0", "invalid")}),
        ({"channels": "email"}, {("/channels", "invalid")}),
        ({"channels": ["slack"] * 4}, {("/channels", "too_long")}),
        ({"content": None}, {("/content", "invalid")}),
        ({"content": {}}, {("/content/subject", "required"), ("/content/text", "required")}),
        ({"content": {"text": "T"}}, {("/content/subject", "required")}),
        ({"content": TEXT | {"subject": "a\nb"}}, {("/content/subject", "invalid")}),
        ({"content": TEXT | {"subject": ""}}, {("/content/subject", "invalid")}),
        ({"content": TEXT | {"subject": "x" * 999}}, {("/content/subject", "too_long")}),
        ({"content": TEXT | {"html": "<p>"}}, {("/content/html", "unknown_field")}),
        ({"content": TEXT | {"text": "x" * 4_097}}, {("/content/text", "too_long")}),  # WhatsApp's limit
        ({"content": TEXT | {"slack": {"blocks": {}}}}, {("/content/slack/blocks", "invalid")}),
        ({"content": TEXT | {"slack": {"blocks": [{}] * 51}}}, {("/content/slack/blocks", "too_long")}),
        ({"content": TEXT | {"slack": {"thread_ts": "1"}}}, {("/content/slack/thread_ts", "invalid")}),
        (
            {"content": TEXT | {"email": {"headers": {"X-Note": "a\r\nBcc: x@y.z"}}}},
            {("/content/email/headers/X-Note", "invalid")},
        ),
        (
            {"content": TEXT | {"email": {"attachments": [{"url": "http://example.com/a"}]}}},
            {("/content/email/attachments/0/url", "invalid")},
        ),
        (
            {"content": TEXT | {"whatsapp": {"template": {"name": "x"}}}},
            {("/content/whatsapp/template/language", "required")},
        ),
        ({"class": "urgent"}, {("/class", "unknown_value")}),
        ({"message_class": "bulk"}, {("/message_class", "unknown_field")}),
        ({"priority": "urgent"}, {("/priority", "unknown_value")}),
        ({"delivery_mode": "exactly_once"}, {("/delivery_mode", "unknown_value")}),
        ({"send_at": "2026-12-01T09:00:00"}, {("/send_at", "offset_missing")}),
        ({"send_at": "2026-12-01"}, {("/send_at", "offset_missing")}),
        ({"send_at": "tomorrow"}, {("/send_at", "invalid")}),
        ({"send_at": 1_772_366_400}, {("/send_at", "invalid")}),
        ({"send_at": "1772366400"}, {("/send_at", "invalid")}),  # a number in quotes is no time either
        ({"send_at": "2020-01-01T00:00:00Z"}, set()),  # the past means now
        ({"send_at": "9999-12-31T23:59:59-23:59"}, {("/send_at", "too_far_ahead")}),
        ({"expires_at": "2026-03-01T12:00:00Z"}, {("/expires_at", "already_past")}),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, {("/expires_at", "already_past")}),
        ({"expires_at": "9999-12-31T23:59:59Z"}, {("/expires_at", "too_far_ahead")}),
        ({"reference": ""}, {("/reference", "invalid")}),
        ({"reference": "x" * 256}, {("/reference", "too_long")}),
        ({"reference": "a\tb"}, {("/reference", "invalid")}),
        ({"tags": ["ok", "", "x" * 65]}, {("/tags/1", "invalid"), ("/tags/2", "too_long")}),
        ({"tags": ["x"] * 21}, {("/tags", "too_long")}),
        ({"metadata": []}, {("/metadata", "invalid")}),
        ({"metadata": {"x": "x" * 16_384}}, {("/metadata", "invalid")}),
        ({"a~b/c": 1}, {("/a~0b~1c", "unknown_field")}),  # a JSON Pointer
    ],
)
def test_a_body_has_exactly_these_errors(changed: dict[str, Any], errors: set[tuple[str, str]]):
    assert errors_of(SOUND | changed) == errors


def test_the_errors_of_fields_and_those_between_fields_are_told_together():
    wrong = {
        "to": {"phone": "1"},
        "channels": ["email", "whatsapp", "pigeon"],
        "content": {"text": "T"},
        "send_at": "soon",
        "expires_at": "2020-01-01T00:00:00Z",
        "colour": "red",
    }
    assert errors_of(wrong) == {
        ("/to/phone", "invalid"),
        ("/to/email", "address_missing"),
        ("/channels/2", "unknown_value"),
        ("/content/subject", "required"),
        ("/send_at", "invalid"),
        ("/expires_at", "already_past"),
        ("/colour", "unknown_field"),
    }


def test_nothing_at_all_lacks_what_is_required():
    assert errors_of({}) == {("/channels", "required"), ("/content", "required")}


@pytest.mark.parametrize("body", [None, 1, "text", [], [SOUND], True])
def test_a_body_that_is_no_object_is_one_error_at_its_root(body: Any):
    assert errors_of(body) == {("", "invalid")}


def test_a_project_without_integrations_is_told_for_each_channel():
    nobody = principal(integrations=())
    assert errors_of(SOUND, nobody) == {(f"/channels/{i}", "integration_missing") for i in range(3)}


def test_an_error_is_worded_for_a_person():
    with pytest.raises(InvalidRequestError) as refused:
        draft_of(SOUND | {"to": SOUND["to"] | {"phone": "1"}, "colour": 1, "send_at": "2026-12-01T09:00:00"})
    words = " ".join(each.message for each in refused.value.errors)
    assert "E.164" in words
    assert "offset" in words
    assert "^" not in words, "nobody is shown a regular expression"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe\xfa",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 5_000,
        # Python's parser takes these; UTF-8, PostgreSQL's jsonb and other people's parsers do not.
        b'{"text": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"text": "a\\u0000b"}',
        b'{"metadata": {"n": NaN}}',
        b'{"metadata": {"n": -Infinity}}',
        b'{"metadata": {"n": 1e999}}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    ],
)
def test_what_cannot_be_stored_as_json_is_no_json(body: bytes):
    with pytest.raises(MalformedRequestError):
        parse_json(body)


@pytest.mark.parametrize(
    "value", [None, 1, -1.5, "x", "\U0001f44b", "\\u0000", [], {}, {"a": [1, {"b": None}]}, "x" * 200_000]
)
def test_json_is_read_as_what_it_is(value: Any):
    assert parse_json(json.dumps(value).encode()) == value


def test_as_much_nesting_as_anybody_needs_is_read():
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_a_body_over_256_kb_is_too_large_and_one_of_exactly_that_is_not():
    assert parse_json(b'"' + b"x" * (MAX_BODY - 2) + b'"')
    with pytest.raises(TooLargeError, match="262145 bytes; at most 262144"):
        parse_json(b'"' + b"x" * (MAX_BODY - 1) + b'"')


def test_the_limit_counts_bytes_and_not_characters():
    with pytest.raises(TooLargeError):
        parse_json(json.dumps("é" * 140_000, ensure_ascii=False).encode())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_error_of_ours(body: bytes):
    _read_or_refused(body)


@given(json_values)
def test_no_json_raises_anything_but_an_error_of_ours(value: Any):
    _read_or_refused(json.dumps(value).encode())


FIELDS = [*SOUND, "class", "priority", "send_at", "expires_at", "delivery_mode", "reference", "tags", "metadata"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4))
def test_no_field_raises_anything_but_an_error_of_ours(changed: dict[str, Any]):
    _read_or_refused(json.dumps(SOUND | changed).encode())


CONTENT_FIELDS = ["subject", "text", "html", "blocks", "template", "headers", "attachments", "reply_to", "preview_url"]


@given(
    st.sampled_from(["slack", "email", "whatsapp"]),
    st.dictionaries(st.sampled_from(CONTENT_FIELDS), json_values, max_size=4),
)
@example("slack", {"blocks": [{"text": "\ud800"}]})
def test_no_content_raises_anything_but_an_error_of_ours(channel: str, content: dict[str, Any]):
    _read_or_refused(json.dumps(SOUND | {"content": TEXT | {channel: content}}).encode())


@given(st.integers(1, 3_000))
@example(990)
def test_no_depth_raises_anything_but_an_error_of_ours(depth: int):
    nested = '{"a":' * depth + "1" + "}" * depth
    _read_or_refused(b'{"channels":["slack"],"content":{"slack":{"blocks":[' + nested.encode() + b"]}}}")


@given(st.dictionaries(st.sampled_from(["cursor", "limit", "status", "channel", "reference", "tag"]), st.text()))
def test_no_query_raises_anything_but_an_error_of_ours(query: dict[str, str]):
    with contextlib.suppress(InvalidRequestError):
        asked = read(NotificationsQuery, query, "?")
        assert "\0" not in (asked.reference or "") + (asked.tag or "")


def test_the_errors_of_a_query_name_its_parameters():
    with pytest.raises(InvalidRequestError) as refused:
        read(NotificationsQuery, {"limit": "many", "status": "lost", "reference": "a\0b"}, "?")
    assert {each.path for each in refused.value.errors} == {"?/limit", "?/status", "?/reference"}


def test_a_batch_holds_one_to_a_hundred_notifications():
    assert len(read(BatchRequest, {"notifications": [1] * 100}).notifications) == 100
    for wrong in ({}, {"notifications": []}, {"notifications": [1] * 101}, {"notifications": {}}, []):
        with pytest.raises(InvalidRequestError):
            read(BatchRequest, wrong)


def _read_or_refused(body: bytes) -> None:
    try:
        made = read_notification(parse_json(body), principal(), NOW)
    except NofyError:
        return
    assert json.dumps(made.metadata, ensure_ascii=False, allow_nan=False).encode()
    assert json.dumps(made.content, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("body", "edit"),
    [
        ({"to": {"slack_channel": "C0OTHER"}}, Edit(destination="C0OTHER")),
        ({"content": {"text": "T", "email": {"html": "<p>"}}}, Edit(content={"text": "T"})),
        ({"to": {"slack_channel": "U1"}, "content": {"slack": {"text": "S"}}}, Edit("U1", {"text": "S"})),
        ({"to": None, "content": None}, Edit()),
    ],
)
def test_an_edit_is_rendered_for_its_deliverys_channel(body: Any, edit: Edit):
    assert read_edit(body, Channel.SLACK, principal()) == edit


@pytest.mark.parametrize(
    ("channel", "body", "errors"),
    [
        (Channel.EMAIL, {"to": {}}, {("/to/email", "address_missing")}),
        (Channel.EMAIL, {"to": {"email": "ada"}}, {("/to/email", "invalid")}),
        (
            Channel.EMAIL,
            {"to": {"phone": "+15550100001"}, "content": {"text": "T"}},
            {("/to/email", "address_missing"), ("/to/phone", "other_channel"), ("/content/subject", "required")},
        ),
        (
            Channel.EMAIL,
            {"to": {"email": "ada"}, "content": {"subject": "S"}, "urgent": True},
            {("/to/email", "invalid"), ("/content/text", "required"), ("/urgent", "unknown_field")},
        ),
        (Channel.WHATSAPP, {"content": {"text": "x" * 4_097}}, {("/content/text", "too_long")}),
        (Channel.SLACK, {"to": "C0OTHER", "content": 5}, {("/to", "invalid"), ("/content", "invalid")}),
        (Channel.SLACK, [], {("", "invalid")}),
        (Channel.SLACK, "C0OTHER", {("", "invalid")}),
    ],
)
def test_an_edit_is_told_everything_that_is_wrong_with_it(channel: Channel, body: Any, errors: set[tuple[str, str]]):
    with pytest.raises(InvalidRequestError) as refused:
        read_edit(body, channel, principal())
    assert {(each.path, each.code) for each in refused.value.errors} == errors


def test_an_incoming_webhooks_address_cannot_be_edited():
    webhook = principal(integrations=(integration(Channel.SLACK, settings={"kind": "webhook"}),))
    with pytest.raises(InvalidRequestError) as refused:
        read_edit({"to": {"slack_channel": "C0OTHER"}}, Channel.SLACK, webhook)
    assert [each.code for each in refused.value.errors] == ["fixed_destination"]
    assert read_edit({"content": {"text": "T"}}, Channel.SLACK, webhook) == Edit(content={"text": "T"})


@given(json_values)
def test_whatever_an_edit_is_it_is_read_or_refused(body: Any):
    with contextlib.suppress(InvalidRequestError):
        read_edit(body, Channel.EMAIL, principal())


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}', b'{"\\u0061": 1, "a": 2}']
)
def test_a_key_that_stands_there_twice_is_refused_for_nobody_knows_which_is_meant(body: bytes):
    with pytest.raises(MalformedRequestError, match="the same key twice"):
        parse_json(body)


def test_the_same_key_in_two_objects_is_none_of_that():
    assert parse_json(b'[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


@pytest.mark.parametrize(
    "bomb", [[[]] * MAX_VALUES, [0] * MAX_VALUES, {str(each): 0 for each in range(MAX_VALUES // 2)}]
)
def test_a_body_of_nothing_but_structure_is_refused(bomb: object):
    with pytest.raises(MalformedRequestError, match="keys and values"):
        parse_json(json.dumps(bomb).encode())


def test_as_many_values_as_the_limit_are_read():
    assert parse_json(json.dumps([0] * (MAX_VALUES - 1)).encode())


def test_the_largest_batch_that_anybody_sends_is_within_the_limit():
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    one = {
        "to": {"email": "ada@example.com"},
        "channels": ["email", "slack"],
        "content": {
            "text": "x",
            "slack": {"blocks": [block] * 12},
        },
        "tags": ["a"] * 10,
        "metadata": {str(each): "x" for each in range(20)},
    }
    assert parse_json(json.dumps({"notifications": [one] * 100}).encode())
