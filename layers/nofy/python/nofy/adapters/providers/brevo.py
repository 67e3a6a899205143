"""Brevo: ``POST /smtp/email``. Its idempotency key makes a retry after a lost answer safe.

The key stands in the JSON body's ``headers``, not among HTTP's, and a replay is an error (``duplicate_parameter``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.domain.outcomes import Accepted, Outcome, Rejected, RejectionKind, Throttled, Transient, Unknown

if TYPE_CHECKING:
    from nofy.domain.sending import Message

_CONFIG_STATUSES = frozenset({401, 402, 403})
_TRANSIENT_STATUSES = frozenset({408, 425})
_CONFIG_CODES = frozenset({"unauthorized", "not_enough_credits", "permission_denied", "account_under_validation"})


class BrevoClient:
    """Implements :class:`nofy.ports.provider.ProviderClient`."""

    def __init__(self, api_url: str, http: HttpClient) -> None:
        self._api_url = api_url.rstrip("/")
        self._http = http

    async def call(self, message: Message, credential: str) -> Outcome:
        headers = {"api-key": credential, "content-type": "application/json", "accept": "application/json"}
        return await self._http.exchange(
            Request(f"{self._api_url}/smtp/email", headers, body_of(message), secret=credential),
            "/smtp/email",
            partial(read, in_doubt=message.ask_until is not None),
            lambda answer: answer.json().get("code"),
        )


def body_of(message: Message) -> dict[str, Any]:
    """The request's body. Custom headers must be ASCII: Brevo sends others raw, and mail servers bounce them."""
    content = message.content
    body: dict[str, Any] = {
        "sender": message.settings["sender"],
        "to": [{"email": message.destination}],
        "subject": content["subject"],
        "htmlContent": content["html"],
        "headers": {
            **content.get("headers", {}),
            "idempotencyKey": str(message.idempotency_key),
            "X-Mailin-custom": str(message.delivery_id),
        },
    }
    if content.get("text"):
        body["textContent"] = content["text"]
    if content.get("reply_to"):
        body["replyTo"] = content["reply_to"]
    if content.get("attachments"):
        body["attachment"] = content["attachments"]
    return body


def read(answer: Answer, *, in_doubt: bool) -> Outcome:
    """What an answer means. ``duplicate_parameter`` means that an earlier call under the key was taken, which can
    only be so where one of them is in doubt; otherwise it is somebody's bug, and not an acceptance.
    """
    body = answer.json()
    code = str(body.get("code", ""))
    reason = f"{code or answer.status}: {body.get('message', answer.text())}"
    if answer.status in (200, 201, 202):
        return Accepted(str(body.get("messageId") or "").strip("<>") or None)
    if code in ("duplicate_parameter", "duplicate_request"):
        return Accepted() if in_doubt else Rejected(RejectionKind.CONTENT, reason)
    if answer.status == 429:
        return Throttled(reason, answer.retry_after("x-sib-ratelimit-reset"))
    if answer.status >= 500:
        return Unknown(f"HTTP {answer.status}")
    if answer.status in _TRANSIENT_STATUSES:
        return Transient(reason)
    if answer.status in _CONFIG_STATUSES or code in _CONFIG_CODES:
        return Rejected(RejectionKind.CONFIG, reason)
    return Rejected(_fault(reason), reason)


def _fault(reason: str) -> RejectionKind:
    """Brevo has one code for a bad address and bad content; its message names the field."""
    return RejectionKind.RECIPIENT if "email is not valid" in reason else RejectionKind.CONTENT
