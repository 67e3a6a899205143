"""WhatsApp Cloud API: ``POST /{phone number id}/messages``.

Meta's throttles come as HTTP 400 and its permission errors as 500: only ``error.code`` says what happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.domain.outcomes import (
    Accepted,
    Outcome,
    Rejected,
    RejectionKind,
    Throttled,
    ThrottleScope,
    Transient,
    Unknown,
)

if TYPE_CHECKING:
    from nofy.domain.sending import Message

# Meta's error codes by what is at fault (its error reference, September 2026). Codes that stand nowhere are
# Transient: the retry policy ends what does not pass.
CONFIG_CODES = frozenset(
    {0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131045, 131063, 132015, 132016, 133000}
    | {133005, 133006, 133008, 133009, 133010, 133016, 134011, *range(200, 300)}
)
RECIPIENT_CODES = frozenset(
    {130403, 130472, 130497, 131021, 131026, 131030, 131049, 131050, 137000},
)
CONTENT_CODES = frozenset(
    {100, 131008, 131009, 131047, 131051, 131053, 131055, 131062, 132000, 132001, 132005, 132007, 132008}
    | {132012, 132018, 132068, 135000}
)
# Codes that ask for patience, and how much in seconds where the reference (or its silence) suggests a figure.
THROTTLE_CODES: dict[int, float | None] = {
    4: 60.0,  # the whole app
    17: 60.0,
    341: 60.0,
    613: 60.0,
    80007: 60.0,  # the whole account
    130429: None,  # the phone number's throughput
    131048: 3600.0,  # spam or quality: do not hammer
    131056: 6.0,  # this pair: one message per six seconds
    131064: 3600.0,
    132069: 360.0,  # ten Flow messages an hour
}
# Those that speak of one person; all others speak of the number, the account or the app.
PAIR_CODES = frozenset({131056})


class WhatsAppClient:
    """Implements :class:`nofy.ports.provider.ProviderClient`."""

    def __init__(self, api_url: str, http: HttpClient) -> None:
        self._api_url = api_url.rstrip("/")
        self._http = http

    async def call(self, message: Message, credential: str) -> Outcome:
        url = f"{self._api_url}/{message.settings['phone_number_id']}/messages"
        headers = {"authorization": f"Bearer {credential}", "content-type": "application/json"}
        request = Request(url, headers, body_of(message), secret=credential)
        return await self._http.exchange(request, f"/{message.settings['phone_number_id']}/messages", read, _code)


def body_of(message: Message) -> dict[str, Any]:
    """The request's body. The number keeps its ``+``: without it Meta prepends the business's country code."""
    envelope = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.destination,
        "biz_opaque_callback_data": str(message.delivery_id),
    }
    if "template" in message.content:
        return {**envelope, "type": "template", "template": message.content["template"]}
    text = {"body": message.content["text"], "preview_url": message.content.get("preview_url", False)}
    return {**envelope, "type": "text", "text": text}


def read(answer: Answer) -> Outcome:
    """What an answer means: by ``error.code`` where there is one, by the status only where there is none."""
    body = answer.json()
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return _refusal(error["code"], error, answer)
    if answer.status == 200:
        return Accepted(_message_id(body))
    if answer.status == 429:
        return Throttled("HTTP 429", answer.retry_after())
    if answer.status >= 500:
        return Unknown(f"HTTP {answer.status}")
    return Transient(f"HTTP {answer.status}")


def _code(answer: Answer) -> Any:
    error = answer.json().get("error")
    return error.get("code") if isinstance(error, dict) else None


def _message_id(body: dict[str, Any]) -> str | None:
    match body.get("messages"):
        case [{"id": str(identifier)}, *_]:
            return identifier
        case _:
            return None


def _refusal(code: int, error: dict[str, Any], answer: Answer) -> Outcome:
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    reason = f"{code}: {details or error.get('message', '')}"
    if code in THROTTLE_CODES:
        scope = ThrottleScope.DESTINATION if code in PAIR_CODES else ThrottleScope.INTEGRATION
        return Throttled(reason, answer.retry_after() or THROTTLE_CODES[code], scope)
    for kind, codes in (
        (RejectionKind.CONFIG, CONFIG_CODES),
        (RejectionKind.RECIPIENT, RECIPIENT_CODES),
        (RejectionKind.CONTENT, CONTENT_CODES),
    ):
        if code in codes:
            return Rejected(kind, reason)
    return Transient(reason)
