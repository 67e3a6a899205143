"""From what a client wrote to what each channel shows: rendered once, when the notification is accepted.

A client may write one ``text`` (and ``subject``) for every channel and refine it per channel. What cannot be
shown on a channel is refused here, before anything is stored.
"""

from __future__ import annotations

import html
from typing import Any

from nofy.domain.errors import FieldError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.routing import Channel

# The limit of one rendered delivery, in bytes of JSON: what API Gateway, Lambda and Kafka all carry with room.
MAX_RENDERED_BYTES = 256 * 1024
# Slack cuts longer texts off without a word; Meta refuses them.
MAX_SLACK_TEXT = 40_000
MAX_WHATSAPP_TEXT = 4_096


def render(channel: Channel, content: dict[str, Any]) -> dict[str, Any]:
    """The content of one channel; :func:`rendered_errors` says whether it can be shown there."""
    return _RENDERERS[channel](content)


def _slack(content: dict[str, Any]) -> dict[str, Any]:
    own = content.get("slack") or {}
    text = own.get("text") or content.get("text") or content.get("subject") or ""
    kept = {key: own[key] for key in ("blocks", "thread_ts", "unfurl_links") if own.get(key) is not None}
    return {"text": text, **kept}


def _email(content: dict[str, Any]) -> dict[str, Any]:
    own = content.get("email") or {}
    text = own.get("text") or content.get("text")
    rendered = {
        "subject": own.get("subject") or content.get("subject"),
        "html": own.get("html") or _as_html(text or ""),
        "text": text,
    }
    kept = {key: own[key] for key in ("reply_to", "headers", "attachments") if own.get(key)}
    return {key: value for key, value in rendered.items() if value is not None} | kept


def _whatsapp(content: dict[str, Any]) -> dict[str, Any]:
    own = content.get("whatsapp") or {}
    if own.get("template"):
        return {"template": own["template"]}
    return {"text": own.get("text") or content.get("text") or "", "preview_url": own.get("preview_url", False)}


_RENDERERS = {Channel.SLACK: _slack, Channel.EMAIL: _email, Channel.WHATSAPP: _whatsapp}


def _as_html(text: str) -> str:
    """Brevo refuses a message without HTML, so plain text becomes the plainest HTML."""
    return f'<div style="white-space:pre-wrap">{html.escape(text)}</div>'


def content_errors(channel: Channel, content: dict[str, Any]) -> list[FieldError]:
    """What keeps this content from being shown on this channel."""
    return rendered_errors(channel, render(channel, content))


def rendered_errors(channel: Channel, rendered: dict[str, Any]) -> list[FieldError]:
    """The same of content that is rendered already."""
    errors = _CHECKS[channel](rendered)
    if len(json_bytes(rendered)) > MAX_RENDERED_BYTES:
        errors.append(FieldError(f"/content/{channel}", "too_large", "over 256 KB when rendered"))
    return errors


def _check_slack(rendered: dict[str, Any]) -> list[FieldError]:
    if not rendered["text"] and not rendered.get("blocks"):
        return [FieldError("/content/text", "required", "slack needs content.text or content.slack.blocks")]
    return _too_long("/content/text", rendered["text"], MAX_SLACK_TEXT)


def _check_email(rendered: dict[str, Any]) -> list[FieldError]:
    errors = []
    if not rendered.get("subject"):
        errors.append(FieldError("/content/subject", "required", "email needs a subject"))
    if not rendered.get("text") and rendered["html"] == _as_html(""):
        errors.append(FieldError("/content/text", "required", "email needs content.text or content.email.html"))
    return errors


def _check_whatsapp(rendered: dict[str, Any]) -> list[FieldError]:
    if "template" in rendered:
        return []
    if not rendered["text"]:
        message = "whatsapp needs content.text or content.whatsapp.template"
        return [FieldError("/content/text", "required", message)]
    return _too_long("/content/text", rendered["text"], MAX_WHATSAPP_TEXT)


_CHECKS = {Channel.SLACK: _check_slack, Channel.EMAIL: _check_email, Channel.WHATSAPP: _check_whatsapp}


def _too_long(path: str, text: str, limit: int) -> list[FieldError]:
    return [FieldError(path, "too_long", f"at most {limit} characters here")] if len(text) > limit else []
