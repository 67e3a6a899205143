"""Slack: ``chat.postMessage``, ``auth.test`` and incoming webhooks, as strict as the reference says.

Slack answers HTTP 200 for nearly every failure: the verdict is ``ok`` in the body, only throttling is 429.
Webhooks are the other way round: plain text and a proper status.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from local.simulators import credentials
from local.simulators.blocks import BlocksRefused, check_blocks
from local.simulators.exchange import Reply, Request
from local.simulators.sending import Acceptance, Refusal, Submission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.simulators.clock import Clock
    from local.simulators.faults import Step
    from local.simulators.world import World

TEXT_LIMIT: Final = 40_000  # beyond it Slack truncates, and says nothing
MARKDOWN_LIMIT: Final = 12_000
ATTACHMENTS_LIMIT: Final = 100

_CHANNEL_ID: Final = re.compile(r"[CGDUW][A-Z0-9]{2,}")
_CHANNEL_NAMES: Final = {
    "general": "C0GENERAL",
    "random": "C0RANDOM",
    "deploys": "C0DEPLOYS",
    "alerts": "C0ALERTS",
}
_FORM: Final = "application/x-www-form-urlencoded"
_JSON_IN_FORMS: Final = ("blocks", "attachments", "metadata")

# Of the words a webhook answers with, those that are not 400 (reference, 1.4).
_WEBHOOK_STATUS: Final = {
    "action_prohibited": 403,
    "invalid_token": 403,
    "posting_to_general_channel_denied": 403,
    "team_disabled": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "no_service_id": 404,
    "no_team": 404,
    "no_active_hooks": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}

_API_ERRORS: Final = {
    "reject": "channel_not_found",
    "content": "invalid_blocks",
    "config": "invalid_auth",
    "internal": "internal_error",
}
_WEBHOOK_ERRORS: Final = {
    "reject": "channel_not_found",
    "content": "invalid_payload",
    "config": "invalid_token",
    "internal": "rollup_error",
}


class Timestamps:
    """Slack's ``ts``: seconds with six decimals, and never the same twice, however fast one asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        with self._lock:
            self._last = max(self._last + 1, int(self._clock() * 1_000_000))
            return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


def _no(error: str, **more: Any) -> Refusal:
    return Refusal(error, Reply.json({"ok": False, "error": error, **more}))


def _unreadable(error: str, detail: str) -> Refusal:
    return _no(error, response_metadata={"messages": [f"[ERROR] {detail}"]})


def _throttled(seconds: float) -> Refusal:
    reply = Reply.json({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(max(1, math.ceil(seconds)))})
    return Refusal("ratelimited", reply, "throttled")


def _wrong_shape(body: Mapping[str, Any]) -> Refusal | None:
    """JSON of the right type in the fields that have one."""
    for name, kind in (("blocks", list), ("attachments", list), ("metadata", dict)):
        if body.get(name) is not None and not isinstance(body[name], kind):
            return _no("invalid_blocks_format" if name == "blocks" else "invalid_arguments")
    return None


def _read_json(request: Request) -> dict[str, Any]:
    body = json.loads(request.body or b"{}")
    if not isinstance(body, dict):
        raise TypeError("json_not_object")
    return body


def _read_form(request: Request) -> dict[str, Any]:
    """Nested fields come as JSON text in a form."""
    form: dict[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return {name: json.loads(value) if name in _JSON_IN_FORMS else value for name, value in form.items()}


def _submission(to: str, body: dict[str, Any], problem: Refusal | None) -> Submission:
    metadata = body.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    payload = payload if isinstance(payload, dict) else {}
    text = str(body.get("text") or body.get("markdown_text") or "")[:TEXT_LIMIT]
    content = {name: body[name] for name in _SHOWN if body.get(name)}
    return Submission(
        to=to,
        correlation=str(payload.get("delivery_id") or payload.get("notification_id") or ""),
        text=text or _fallback(body),
        content=content | ({"text": text} if text else {}),
        body=body,
        problem=problem or _wrong_shape(body),
    )


_SHOWN: Final = ("blocks", "attachments", "markdown_text", "metadata", "thread_ts", "username", "icon_emoji")


def _fallback(body: dict[str, Any]) -> str:
    """Words to search by when a message consists of blocks only."""
    blocks = body.get("blocks")
    texts = (block.get("text") for block in blocks if isinstance(block, dict)) if isinstance(blocks, list) else ()
    return " ".join(str(text.get("text", "")) for text in texts if isinstance(text, dict))


def _check_content(body: Mapping[str, Any]) -> None:
    """What the Web API and webhooks both look at; raises :class:`Refusal`."""
    if not any(body.get(name) for name in ("text", "blocks", "attachments", "markdown_text")):
        raise _no("no_text")
    if body.get("markdown_text") and (body.get("text") or body.get("blocks")):
        raise _no("markdown_text_conflict")
    if len(str(body.get("markdown_text") or "")) > MARKDOWN_LIMIT:
        raise _no("msg_too_long")
    if len(body.get("attachments") or ()) > ATTACHMENTS_LIMIT:
        raise _no("too_many_attachments")
    _check_metadata(body.get("metadata"))
    try:
        check_blocks(body.get("blocks") or ())
    except BlocksRefused as refused:
        raise _no(refused.error, response_metadata={"messages": [f"[ERROR] {refused}"]}) from refused


def _check_metadata(metadata: Any) -> None:
    if metadata is not None and not (
        isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)
    ):
        raise _no("invalid_metadata_format")


class SlackApi:
    """``POST /slack/api/chat.postMessage`` and ``/slack/api/auth.test``."""

    channel = "slack"
    provider = "slack"

    def __init__(self, world: World) -> None:
        self._world = world
        self._ts = Timestamps(world.clock)
        self._requests = itertools.count(1)

    def draft(self, request: Request) -> Submission:
        try:
            body = self._body(request)
        except Refusal as refusal:
            return Submission(to="", problem=refusal)
        to = str(body.get("channel") or "")
        return _submission(_CHANNEL_NAMES.get(to.removeprefix("#"), to), body, None)

    def check(self, request: Request, submission: Submission) -> None:
        form = submission.body if request.media_type == _FORM else {}
        self._check_token(request.bearer or form.get("token"))
        if submission.problem:
            raise submission.problem
        self._check_channel(submission.to)
        _check_content(submission.body)

    def admit(self, submission: Submission) -> None:
        limits = self._world.limits
        if limits.enforced and (wait := self._world.buckets.take(f"slack:{submission.to}", limits.slack_channel)):
            raise _throttled(wait)

    def accept(self, submission: Submission) -> Acceptance:
        channel = f"D{submission.to[1:]}" if submission.to[0] in "UW" else submission.to
        ts = self._ts.next()
        message = {"type": "message", "subtype": "bot_message", "bot_id": "B0NOFY", "app_id": "A0NOFY"}
        body = {
            "ok": True,
            "channel": channel,
            "ts": ts,
            "message": message | submission.content | {"ts": ts},
        }
        return Acceptance(Reply.json(body), (ts,))

    def misbehave(self, step: Step, submission: Submission) -> Refusal:  # noqa: ARG002 - the same for all
        if step.word == "throttle":
            return _throttled(step.seconds)
        if step.word == "status":
            error = "service_unavailable" if step.status == 503 else "internal_error"
            return Refusal(str(step.status), Reply.json({"ok": False, "error": error}, step.status))
        return _no(step.code or _API_ERRORS[step.word])

    def auth_test(self, request: Request) -> Reply:
        """The check call: who does this token belong to?"""
        form = dict(parse_qsl(request.body.decode(errors="replace"))) if request.media_type == _FORM else {}
        try:
            self._check_token(request.bearer or form.get("token"))
        except Refusal as refusal:
            return refusal.reply
        team = {"url": "https://nofy-local.slack.com/", "team": "Nofy on this machine", "team_id": "T0LOCAL"}
        return self.finish(
            request, Reply.json({"ok": True, **team, "user": "nofy", "user_id": "U0NOFY", "bot_id": "B0NOFY"})
        )

    def finish(self, request: Request, reply: Reply) -> Reply:
        """What Slack adds to every answer: its request id, and the warning about a missing charset."""
        reply = reply.with_headers({"x-slack-req-id": f"local-{next(self._requests)}"})
        missing = request.media_type == "application/json" and "charset" not in request.header("content-type").lower()
        if not (missing and reply.body.startswith(b'{"ok": true')):
            return reply
        metadata = {"warnings": ["missing_charset"]}
        body = {**json.loads(reply.body), "warning": "missing_charset", "response_metadata": metadata}
        return Reply.json(body, reply.status, reply.headers)

    def _body(self, request: Request) -> dict[str, Any]:
        readers = {"application/json": _read_json, _FORM: _read_form}
        if not (reader := readers.get(request.media_type)):
            raise _no("invalid_post_type" if request.media_type else "missing_post_type")
        try:
            return reader(request)
        except (ValueError, TypeError) as error:
            json_body = request.media_type == "application/json"
            raise _unreadable("invalid_json" if json_body else "invalid_form_data", str(error)) from error

    def _check_token(self, token: str | None) -> None:
        if not token:
            raise _no("not_authed")
        if token == credentials.SLACK_REVOKED_TOKEN:
            raise _no("token_revoked")
        if not credentials.opens(credentials.SLACK_BOT_TOKEN, token):
            raise _no("invalid_auth")

    def _check_channel(self, channel: str) -> None:
        if channel.startswith("CARCHIVED"):
            raise _no("is_archived")
        if not _CHANNEL_ID.fullmatch(channel) or channel[1:].startswith("404"):
            raise _no("channel_not_found")


class SlackWebhook:
    """``POST /slack/services/T/B/X``: one URL, one channel, no message id to keep."""

    channel = "slack"
    provider = "slack"

    def __init__(self, world: World) -> None:
        self._world = world

    def draft(self, request: Request) -> Submission:
        to = request.path.split("/")[-2]
        try:
            return _submission(to, self._body(request), None)
        except (ValueError, TypeError):
            return Submission(to=to, problem=self._no("invalid_payload"))

    def check(self, request: Request, submission: Submission) -> None:
        *_, team, service, secret = request.path.split("/")
        if team != credentials.SLACK_WEBHOOK_TEAM:
            raise self._no("no_team")
        if not service.startswith(credentials.SLACK_WEBHOOK_SERVICE):
            raise self._no("no_service")
        if not credentials.opens(credentials.SLACK_WEBHOOK_SECRET, secret):
            raise self._no("invalid_token")
        if submission.problem:
            raise self._no("invalid_payload")
        try:
            _check_content(submission.body)
        except Refusal as refusal:
            raise self._no(refusal.why) from refusal

    def admit(self, submission: Submission) -> None:
        limits = self._world.limits
        if limits.enforced and (wait := self._world.buckets.take(f"slack:{submission.to}", limits.slack_channel)):
            raise _throttled(wait)

    def accept(self, submission: Submission) -> Acceptance:  # noqa: ARG002 - a webhook says the same to all
        return Acceptance(Reply.text("ok"), ("",))

    def misbehave(self, step: Step, submission: Submission) -> Refusal:  # noqa: ARG002 - the same for all
        if step.word == "throttle":
            return _throttled(step.seconds)
        if step.word == "status":
            return Refusal(str(step.status), Reply.text("rollup_error", step.status))
        return self._no(step.code or _WEBHOOK_ERRORS[step.word])

    def _no(self, word: str) -> Refusal:
        return Refusal(word, Reply.text(word, _WEBHOOK_STATUS.get(word, 400)))

    def _body(self, request: Request) -> dict[str, Any]:
        """JSON, or (as older integrations do) a form with the JSON in ``payload``."""
        if request.media_type != _FORM:
            return _read_json(request)
        form = dict(parse_qsl(request.body.decode()))
        body = json.loads(form.get("payload", ""))
        if not isinstance(body, dict):
            raise TypeError("payload is no object")
        return body
