"""From what a client wrote to what each channel shows."""

from __future__ import annotations

from typing import Any

import pytest

from nofy.domain.content import MAX_RENDERED_BYTES, MAX_SLACK_TEXT, MAX_WHATSAPP_TEXT, content_errors, render
from nofy.domain.routing import Channel

BLOCKS = [{"type": "divider"}]
TEMPLATE = {"name": "report_ready", "language": {"code": "en_US"}}
SLACK, EMAIL, WHATSAPP = Channel.SLACK, Channel.EMAIL, Channel.WHATSAPP


def wrapped(text: str) -> str:
    return f'<div style="white-space:pre-wrap">{text}</div>'


@pytest.mark.parametrize(
    ("channel", "content", "rendered"),
    [
        (SLACK, {"text": "Hi"}, {"text": "Hi"}),
        (SLACK, {"subject": "Hi"}, {"text": "Hi"}),
        (SLACK, {"subject": "S", "text": "T"}, {"text": "T"}),
        (SLACK, {"text": "T", "slack": {"text": "own"}}, {"text": "own"}),
        (SLACK, {"text": "T", "slack": {"blocks": BLOCKS}}, {"text": "T", "blocks": BLOCKS}),
        (SLACK, {"slack": {"blocks": BLOCKS}}, {"text": "", "blocks": BLOCKS}),
        (SLACK, {"text": "T", "slack": {"thread_ts": "1.000001"}}, {"text": "T", "thread_ts": "1.000001"}),
        (SLACK, {"text": "T", "slack": {"unfurl_links": False}}, {"text": "T", "unfurl_links": False}),
        (EMAIL, {"subject": "S", "text": "T"}, {"subject": "S", "html": wrapped("T"), "text": "T"}),
        (EMAIL, {"subject": "S", "text": "1 < 2"}, {"subject": "S", "html": wrapped("1 &lt; 2"), "text": "1 < 2"}),
        (EMAIL, {"subject": "S", "email": {"html": "<p>"}}, {"subject": "S", "html": "<p>"}),
        (
            EMAIL,
            {"subject": "S", "text": "T", "email": {"subject": "own", "html": "<p>", "text": "t"}},
            {"subject": "own", "html": "<p>", "text": "t"},
        ),
        (
            EMAIL,
            {"subject": "S", "text": "T", "email": {"reply_to": {"email": "a@b.c"}, "headers": {"X-A": "1"}}},
            {
                "subject": "S",
                "html": wrapped("T"),
                "text": "T",
                "reply_to": {"email": "a@b.c"},
                "headers": {"X-A": "1"},
            },
        ),
        (WHATSAPP, {"text": "T"}, {"text": "T", "preview_url": False}),
        (WHATSAPP, {"text": "T", "whatsapp": {"text": "t", "preview_url": True}}, {"text": "t", "preview_url": True}),
        (WHATSAPP, {"text": "T", "whatsapp": {"template": TEMPLATE}}, {"template": TEMPLATE}),
        # The subject is no message: WhatsApp has none.
        (WHATSAPP, {"subject": "S"}, {"text": "", "preview_url": False}),
    ],
)
def test_each_channel_shows_its_own_words_before_the_common_ones(
    channel: Channel, content: dict[str, Any], rendered: dict[str, Any]
):
    assert render(channel, content) == rendered


@pytest.mark.parametrize(
    ("channel", "content", "errors"),
    [
        (SLACK, {}, [("/content/text", "required")]),
        (SLACK, {"text": ""}, [("/content/text", "required")]),
        (SLACK, {"slack": {"blocks": []}}, [("/content/text", "required")]),
        (SLACK, {"slack": {"blocks": BLOCKS}}, []),
        (SLACK, {"text": "x" * MAX_SLACK_TEXT}, []),
        (SLACK, {"text": "x" * (MAX_SLACK_TEXT + 1)}, [("/content/text", "too_long")]),
        (EMAIL, {}, [("/content/subject", "required"), ("/content/text", "required")]),
        (EMAIL, {"text": "T"}, [("/content/subject", "required")]),
        (EMAIL, {"subject": "S"}, [("/content/text", "required")]),
        (EMAIL, {"subject": "S", "email": {"html": "<p>"}}, []),
        (EMAIL, {"subject": "S", "text": "x" * MAX_RENDERED_BYTES}, [("/content/email", "too_large")]),
        (WHATSAPP, {}, [("/content/text", "required")]),
        (WHATSAPP, {"whatsapp": {"template": TEMPLATE}}, []),
        (WHATSAPP, {"text": "x" * MAX_WHATSAPP_TEXT}, []),
        (WHATSAPP, {"text": "x" * (MAX_WHATSAPP_TEXT + 1)}, [("/content/text", "too_long")]),
    ],
)
def test_what_a_channel_cannot_show_is_refused(
    channel: Channel, content: dict[str, Any], errors: list[tuple[str, str]]
):
    assert [(each.path, each.code) for each in content_errors(channel, content)] == errors


def test_the_limit_counts_bytes_and_not_characters():
    content = {"slack": {"blocks": [{"text": "é" * 3_000} for _ in range(50)]}}
    assert [each.code for each in content_errors(SLACK, content)] == ["too_large"]
