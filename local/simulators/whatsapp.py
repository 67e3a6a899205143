"""The WhatsApp Cloud API: ``POST /v25.0/{phone_number_id}/messages`` and ``GET /v25.0/{phone_number_id}``.

Throttles are HTTP 400 and carry no ``Retry-After``: only ``error.code`` tells what happened.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from local.simulators import credentials
from local.simulators.exchange import HTML_503, Reply, Request
from local.simulators.faults import CLOSED_WINDOW, Step
from local.simulators.sending import Acceptance, Refusal, Submission
from local.simulators.templates import Template, TemplateBook
from local.simulators.whatsapp_rules import (
    ERRORS,
    THROTTLES,
    Invalid,
    check_envelope,
    check_message,
    find_template,
    language_of,
    parameters,
    values_of,
    wa_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.simulators.world import World

_WORDS: Final[dict[str, tuple[int, str]]] = {
    "reject": (131026, "Unable to deliver the message: the recipient is not on WhatsApp."),
    "content": (131009, "Parameter value is not valid."),
    "config": (190, "Error validating access token: the session has been invalidated."),
    "internal": (131000, "Message failed to send due to an unknown error."),
    "throttle": (130429, "Cloud API message throughput has been reached."),
}
_SHOWN: Final = ("type", "text", "template", "image", "document", "video", "audio", "sticker", "interactive",
                 "location", "context")  # fmt: skip


def no(code: int, details: str) -> Refusal:
    """The error envelope, with the status of Meta's older table."""
    status, title = ERRORS.get(code, (400, "Unknown error"))
    error = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": "A" + secrets.token_urlsafe(8),
    }
    outcome = "throttled" if code in THROTTLES else "refused"
    return Refusal(str(code), Reply.json({"error": error}, status), outcome)


class Windows:
    """Per person, whether they wrote in the last 24 hours. Open unless somebody says otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, bool] = {}

    def is_open(self, person: str) -> bool:
        with self._lock:
            return self._open.get(person, person != CLOSED_WINDOW)

    def set(self, person: str, *, is_open: bool) -> None:
        with self._lock:
            self._open[person] = is_open

    def shown(self) -> dict[str, bool]:
        with self._lock:
            return {CLOSED_WINDOW: False, **self._open}

    def reset(self) -> None:
        with self._lock:
            self._open.clear()


class WhatsApp:
    """One business phone number."""

    channel = "whatsapp"
    provider = "whatsapp"

    def __init__(self, world: World) -> None:
        self._world = world
        self._serial = itertools.count(1)
        self.templates = TemplateBook()
        self.windows = Windows()

    def draft(self, request: Request) -> Submission:
        try:
            body = json.loads(request.body)
        except ValueError:
            return Submission(to="", problem=no(100, "Invalid parameter: the body is not JSON."))
        if not isinstance(body, dict):
            return Submission(to="", problem=no(100, "Invalid parameter: the body is not an object."))
        to = body.get("to")
        content = {name: body[name] for name in _SHOWN if name in body}
        shown = self._rendered(body)
        return Submission(
            to=wa_id(to) if isinstance(to, str) and to else "",
            correlation=str(body.get("biz_opaque_callback_data") or ""),
            text=_text(body, shown),
            content=content | ({"rendered": shown} if shown else {}),
            body=body,
        )

    def check(self, request: Request, submission: Submission) -> None:
        self._check_token(request)
        self._check_phone_number_id(request.path.split("/")[-2])
        if submission.problem:
            raise submission.problem
        try:
            check_envelope(submission.body)
            check_message(submission.body, self.templates)
        except Invalid as invalid:
            raise no(invalid.code, str(invalid)) from invalid

    def admit(self, submission: Submission) -> None:
        if submission.body["type"] != "template" and not self.windows.is_open(submission.to):
            raise no(131047, "More than 24 hours have passed since the recipient last replied.")
        limits, buckets = self._world.limits, self._world.buckets
        if not limits.enforced:
            return
        if buckets.take(f"whatsapp:pair:{submission.to}", limits.whatsapp_pair):
            raise no(131056, "Too many messages sent from this phone number to the same phone number.")
        if buckets.take("whatsapp:number", limits.whatsapp_number):
            raise no(*_WORDS["throttle"])

    def accept(self, submission: Submission) -> Acceptance:
        wamid = "wamid." + base64.b64encode(f"HBgL{submission.to}{next(self._serial):012X}".encode()).decode()
        contacts = [{"input": submission.body["to"], "wa_id": submission.to}]
        answer = {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}
        return Acceptance(Reply.json(answer), (wamid,))

    def misbehave(self, step: Step, submission: Submission) -> Refusal:  # noqa: ARG002 - the same for all
        if step.word == "error":
            code = int(step.code) if step.code.isdigit() else 135000
            return no(code, ERRORS.get(code, (400, step.code))[1])
        if step.word != "status":
            return no(*_WORDS[step.word])
        if step.status in {502, 504}:
            return Refusal(str(step.status), replace(HTML_503, status=step.status))
        return no(2, "Service temporarily unavailable.") if step.status == 503 else no(*_WORDS["internal"])

    def phone_number(self, request: Request) -> Reply:
        """The check call: is this token good for this number?"""
        try:
            self._check_token(request)
            self._check_phone_number_id(request.path.split("/")[-1])
        except Refusal as refusal:
            return refusal.reply
        number = {"display_phone_number": "+1 555-010-0000", "verified_name": "Nofy on this machine"}
        state = {"quality_rating": "GREEN", "code_verification_status": "VERIFIED"}
        return Reply.json({**number, **state, "id": credentials.WHATSAPP_PHONE_NUMBER_ID})

    def reset(self) -> None:
        self.templates.reset()
        self.windows.reset()

    def _check_token(self, request: Request) -> None:
        if not request.bearer:
            raise no(200, "Provide valid app ID: an access token is required.")
        if not credentials.opens(credentials.WHATSAPP_TOKEN, request.bearer):
            raise no(190, "Invalid OAuth access token - Cannot parse access token.")

    def _check_phone_number_id(self, given: str) -> None:
        if given != credentials.WHATSAPP_PHONE_NUMBER_ID:
            raise no(33, f"Object with ID '{given}' does not exist or cannot be loaded.")

    def _rendered(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A template as the recipient reads it; empty for everything else and for unknown ones."""
        part = body.get("template")
        if body.get("type") != "template" or not isinstance(part, dict):
            return {}
        template = find_template(part, self.templates)
        if template is None:
            return {"name": part.get("name"), "language": language_of(part)}
        return _filled(template, part)


def _filled(template: Template, part: Mapping[str, Any]) -> dict[str, Any]:
    media = next((item.get(template.header_media) for item in parameters(part, "header")), None)
    return {
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "header": template.filled("header", values_of(part, template, "header")),
        "header_media": {"type": template.header_media, "source": media} if template.header_media else None,
        "body": template.filled("body", values_of(part, template, "body")),
        "footer": template.footer,
        "buttons": list(template.buttons),
    }


def _text(body: Mapping[str, Any], rendered: Mapping[str, Any]) -> str:
    """Words to search by and to preview."""
    if rendered:
        return str(rendered.get("body") or f"Template {rendered.get('name')}")
    part = body.get(str(body.get("type")))
    if not isinstance(part, dict):
        return ""
    text = part.get("caption") or part.get("body") or part.get("filename") or part.get("link") or ""
    return str(text.get("text", "")) if isinstance(text, dict) else str(text)
