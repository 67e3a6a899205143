"""Brevo: ``POST /v3/smtp/email`` and ``GET /v3/account``.

The idempotency key stands in the JSON body's ``headers``, lives 30 minutes, and a replay is an error
(``duplicate_parameter``), not the first answer again.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import threading
import uuid
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from local.simulators import credentials
from local.simulators.brevo_rules import Invalid, check_email
from local.simulators.clock import Clock, iso
from local.simulators.exchange import Reply, Request
from local.simulators.sending import Acceptance, Refusal, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.simulators.faults import Step
    from local.simulators.world import World

KEY_LIFETIME: Final = 30 * 60  # seconds; an announcement of 2021 said 15 minutes
KEYS_KEPT: Final = 200_000
_RATE_HEADERS: Final = "x-sib-ratelimit"
_SHOWN: Final = (
    "sender", "to", "cc", "bcc", "replyTo", "subject", "htmlContent", "textContent", "templateId", "params",
    "headers", "tags", "scheduledAt",
)  # fmt: skip

# HTTP status by code (reference, 2.4); everything else is 400.
_STATUS: Final = {
    "unauthorized": 401,
    "not_enough_credits": 402,
    "permission_denied": 403,
    "account_under_validation": 403,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "unprocessable_entity": 422,
    "too_many_requests": 429,
    "internal_server_error": 500,
    "service_unavailable": 503,
}
_ERRORS: Final = {
    "reject": ("invalid_parameter", "email is not valid in to"),
    "content": ("invalid_parameter", "htmlContent is not valid"),
    "config": ("unauthorized", "Key not found"),
    "internal": ("internal_server_error", "An unexpected error occurred"),
}


class KeyMemory:
    """Idempotency keys seen in the last :data:`KEY_LIFETIME` seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def knows(self, key: str) -> bool:
        with self._lock:
            seen = self._seen.get(key.lower())
            return seen is not None and self._clock() - seen < KEY_LIFETIME

    def remember(self, key: str, at: float | None = None) -> None:
        with self._lock:
            self._seen[key.lower()] = self._clock() if at is None else at
            self._seen.move_to_end(key.lower())
            if len(self._seen) > KEYS_KEPT:
                self._seen.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()


def _no(code: str, message: str, status: int | None = None) -> Refusal:
    reply = Reply.json({"code": code, "message": message}, status or _STATUS.get(code, 400))
    return Refusal(code, reply, "duplicate" if code == "duplicate_parameter" else "refused")


def custom_header(body: Mapping[str, Any], name: str) -> str:
    """A value of the body's ``headers``; Brevo normalises names, so case and hyphens do not count."""
    headers = body.get("headers")
    for given, value in headers.items() if isinstance(headers, dict) else ():
        if given.lower().replace("-", "") == name:
            return str(value)
    return ""


def _address(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return str(first.get("email", "")) if isinstance(first, dict) else ""


def _plain(html: str) -> str:
    """Enough of the text to search by; the page shows the HTML itself."""
    return " ".join(re.sub(r"(?is)<(style|script).*?</\1>|<[^>]*>", " ", html).split())


class Brevo:
    """Transactional e-mail."""

    channel = "email"
    provider = "brevo"

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = KeyMemory(world.clock)
        self._serial = itertools.count(1)
        for message in world.inbox.accepted_by("brevo"):
            if message.idempotency_key:
                at = datetime.fromisoformat(message.received_at).timestamp()
                self._keys.remember(message.idempotency_key, at)

    def draft(self, request: Request) -> Submission:
        try:
            body = json.loads(request.body)
        except ValueError:
            return Submission(to="", problem=_no("bad_request", "Unable to parse JSON"))
        if not isinstance(body, dict):
            return Submission(to="", problem=_no("bad_request", "body should be an object"))
        parts = tuple(self._parts(body))
        return parts[0] if len(parts) == 1 else _with_others(parts)

    def check(self, request: Request, submission: Submission) -> None:
        self._check_key(request)
        if submission.problem:
            raise submission.problem
        try:
            check_email(submission.body, self._world.clock())
        except Invalid as invalid:
            raise _no(invalid.code, str(invalid)) from invalid

    def admit(self, submission: Submission) -> None:
        self._check_rate()
        if submission.idempotency_key and self._keys.knows(submission.idempotency_key):
            raise _no("duplicate_parameter", "idempotencyKey has already been used")

    def accept(self, submission: Submission) -> Acceptance:
        if submission.idempotency_key and not submission.sandbox:
            self._keys.remember(submission.idempotency_key)
        ids = tuple(self._message_id() for _ in (submission, *submission.others))
        versions = "messageVersions" in submission.body
        answer: dict[str, Any] = {"messageIds": list(ids)} if versions else {"messageId": ids[0]}
        if scheduled := "scheduledAt" in submission.body:
            answer["batchId"] = str(submission.body.get("batchId") or uuid.uuid4())
        return Acceptance(Reply.json(answer, 202 if scheduled else 201, self._rate_headers()), ids)

    def misbehave(self, step: Step, submission: Submission) -> Refusal:  # noqa: ARG002 - the same for all
        if step.word == "throttle":
            return self._throttled(step.seconds)
        if step.word == "status":
            code = "service_unavailable" if step.status == 503 else "internal_server_error"
            return Refusal(str(step.status), _no(code, "Service is unavailable", step.status).reply)
        code, message = (step.code, step.code) if step.word == "error" else _ERRORS[step.word]
        return _no(code, message)

    def account(self, request: Request) -> Reply:
        """The check call: is this key good, and whose is it?"""
        try:
            self._check_key(request)
        except Refusal as refusal:
            return refusal.reply
        plan = {"type": "free", "credits": 300, "creditsType": "sendLimit"}
        owner = {"email": "you@nofy.test", "firstName": "Nofy", "lastName": "Local", "companyName": "Nofy"}
        return Reply.json({**owner, "plan": [plan], "relay": {"enabled": True}})

    def reset(self) -> None:
        self._keys.clear()

    def _parts(self, body: dict[str, Any]) -> Iterator[Submission]:
        """One message, or one per version; what a version does not say stands in the whole."""
        versions = body.get("messageVersions")
        overrides = _objects(versions) or [{}]
        for whole in (body | override for override in overrides):
            content = {name: whole[name] for name in _SHOWN if whole.get(name)}
            html = str(content.get("htmlContent") or "")
            yield Submission(
                to=_address(content.get("to")),
                correlation=custom_header(body, "xmailincustom") or custom_header(body, "idempotencykey"),
                idempotency_key=custom_header(body, "idempotencykey"),
                subject=str(content.get("subject") or ""),
                text=str(content.get("textContent") or "") or _plain(html),
                content=content | _names_of_attachments(body),
                body=body,
                sandbox=custom_header(body, "xsibsandbox") == "drop",
            )

    def _check_key(self, request: Request) -> None:
        key = request.header("api-key") or request.bearer
        if not key:
            raise _no("unauthorized", "authentication not found in headers")
        if key == credentials.BREVO_ELSEWHERE_KEY:
            raise _no("unauthorized", "We have detected you are using an unrecognised IP address 192.0.2.7.")
        if not credentials.opens(credentials.BREVO_API_KEY, key):
            raise _no("unauthorized", "Key not found")

    def _check_rate(self) -> None:
        limits = self._world.limits
        if limits.enforced and (wait := self._world.buckets.take("brevo", limits.brevo_account)):
            raise self._throttled(wait)

    def _throttled(self, seconds: float) -> Refusal:
        """The wait is *remaining* seconds in ``x-sib-ratelimit-reset``; Brevo sends no ``Retry-After``."""
        reply = _no("too_many_requests", "Too many requests").reply
        headers = self._rate_headers(remaining=0, reset=max(1, math.ceil(seconds)))
        return Refusal("too_many_requests", reply.with_headers(headers), "throttled")

    def _rate_headers(self, remaining: int | None = None, reset: int = 1) -> dict[str, str]:
        rate = self._world.limits.brevo_account
        left = self._world.buckets.left("brevo", rate) if remaining is None else remaining
        values = {"limit": int(rate.burst), "remaining": left, "reset": reset}
        return {f"{_RATE_HEADERS}-{name}": str(value) for name, value in values.items()}

    def _message_id(self) -> str:
        minute = re.sub(r"\D", "", iso(self._world.clock()))[:12]
        return f"<{minute}.{next(self._serial)}{uuid.uuid4().int % 10**7:07d}@smtp-relay.mailin.fr>"


def _with_others(parts: tuple[Submission, ...]) -> Submission:
    first = parts[0]
    return replace(first, others=parts[1:])


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _names_of_attachments(body: Mapping[str, Any]) -> dict[str, Any]:
    """The page lists attachments by name; their bytes are not kept."""
    found = _objects(body.get("attachment"))
    names = [str(item.get("name") or str(item.get("url", "")).rpartition("/")[2]) for item in found]
    return {"attachments": names} if names else {}
