"""One call per provider that says whether it knows a credential, and whose it is. It sends nothing to anybody.

What cannot be said now (throttled, down, no answer) is ``Unavailable``, never a refusal: the same credential may be
good in a minute. An error that nobody has heard of is a refusal with the provider's word for it, which a person reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from nofy.adapters.providers import slack, whatsapp
from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.domain.integrations import credential_problem, secret_part, settings_problem, webhook_roots
from nofy.domain.outcomes import Transient, Unknown
from nofy.domain.routing import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Checked:
    """The provider knows the credential; ``details`` says whose it is, in its words."""

    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """No message can be sent with it; the reason is fit to be shown."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody can say now."""

    reason: str


Check = Checked | Refused | Unavailable

# Slack's words for "not now"; what it refuses a token for stands with chat.postMessage.
_SLACK_LATER = (
    slack.THROTTLE_ERRORS
    | slack.AMBIGUOUS_ERRORS
    | frozenset(("service_unavailable request_timeout team_added_to_org org_login_required").split())
)
# What a live webhook says to a message without words. Nothing is posted: https://docs.slack.dev/messaging/
# sending-messages-using-incoming-webhooks ("Handling errors"). Scanners for leaked webhooks ask in the same way.
_SLACK_NO_TEXT = frozenset(("no_text missing_text invalid_payload").split())
# Meta's codes that pass: unknown, down, maintenance, and every throttle.
_META_LATER = frozenset({1, 2, 131000, 131016, 131057, 133004, *whatsapp.THROTTLE_CODES})
_PHONE_FIELDS = ("display_phone_number", "verified_name", "quality_rating")

_UNKNOWN_IP = re.compile(r"\bIP\b", re.IGNORECASE)
_SHOWN = 200  # characters of what a provider says of itself


class ProviderChecks:
    """Asks the provider that an integration is for. The credential itself stands in no result."""

    def __init__(self, slack_api_url: str, brevo_api_url: str, whatsapp_api_url: str, http: HttpClient) -> None:
        self._slack = slack_api_url.rstrip("/")
        self._brevo = brevo_api_url.rstrip("/")
        self._whatsapp = whatsapp_api_url.rstrip("/")
        self._webhook_roots = webhook_roots(slack_api_url)
        self._http = http

    def check(self, provider: Provider, settings: dict[str, Any], credential: str) -> Check:
        """What the provider says; it is not asked about what cannot be right at first sight."""
        problem = settings_problem(provider, settings)
        problem = problem or credential_problem(provider, settings, credential, self._webhook_roots)
        if problem:
            return Refused(problem)
        import asyncio

        result = asyncio.run(self._asked(provider, settings, credential))
        return Unavailable(result.reason) if isinstance(result, Transient | Unknown) else result

    async def _asked(
        self, provider: Provider, settings: dict[str, Any], credential: str
    ) -> Check | Transient | Unknown:
        """A check is rare: its connection ends with it."""
        try:
            return await self._ask(provider, settings, credential)
        finally:
            await self._http.close()

    async def _ask(self, provider: Provider, settings: dict[str, Any], credential: str) -> Check | Transient | Unknown:
        bearer = {"authorization": f"Bearer {credential}"}
        match provider:
            case Provider.SLACK if settings["kind"] == "webhook":
                headers = {"content-type": "application/json"}
                request = Request(credential, headers, {"text": ""}, secret=secret_part(credential))
                return await self._http.ask(request, read_webhook)
            case Provider.SLACK:
                url, headers = f"{self._slack}/auth.test", {**bearer, "content-type": slack.JSON}
                return await self._http.ask(Request(url, headers, {}, secret=credential), read_auth_test)
            case Provider.BREVO:
                headers = {"api-key": credential, "accept": "application/json"}
                return await self._http.ask(Request(f"{self._brevo}/account", headers, secret=credential), read_account)
            case Provider.WHATSAPP:
                number = settings["phone_number_id"]
                url = f"{self._whatsapp}/{number}?fields={','.join(_PHONE_FIELDS)}"
                return await self._http.ask(Request(url, bearer, secret=credential), partial(read_phone_number, number))
            case _:
                assert_never(provider)


def read_auth_test(answer: Answer) -> Check:
    """``auth.test``: HTTP 200 whatever the verdict is, like all of Slack's methods."""
    body = answer.json()
    if answer.status == 429 or answer.status >= 500 or not body:
        return Unavailable(f"Slack answers HTTP {answer.status}")
    if body.get("ok") is True:
        return Checked(_told(body, ("team", "team_id", "user", "url")))
    error = _short(body.get("error"))
    return Unavailable(f"Slack says {error}") if error in _SLACK_LATER else Refused(f"Slack says {error}")


def read_webhook(answer: Answer) -> Check:
    """An incoming webhook, asked for a message without words: a live one misses the words, a dead one says so."""
    word = _short(answer.text()) or f"HTTP {answer.status}"
    if answer.status == 429 or answer.status >= 500:
        return Unavailable(f"Slack answers HTTP {answer.status}: {word}")
    if word in _SLACK_NO_TEXT:
        return Checked({"answer": word})
    return Refused(f"Slack says {word}")


def read_account(answer: Answer) -> Check:
    """Brevo's ``GET /account``. A key may be good and refused all the same: where its owner lets in known IPs only."""
    body = answer.json()
    words = _short(body.get("message") or answer.text())
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Unavailable(f"Brevo answers HTTP {answer.status}: {words}")
    if answer.status == 401 and _UNKNOWN_IP.search(words):
        return Refused(f"Brevo does not let in calls from this IP address (Security, Authorised IPs): {words}")
    if answer.status != 200:
        return Refused(f"Brevo answers HTTP {answer.status}: {words}")
    if not isinstance(body.get("email"), str):
        return Unavailable("Brevo answers with no account")
    plans = body.get("plan")
    types = [_short(each.get("type")) for each in plans if isinstance(each, dict)] if isinstance(plans, list) else []
    company = {"company": _short(body["companyName"])} if body.get("companyName") else {}
    return Checked({"email": _short(body["email"]), **company, "plan": types})


def read_phone_number(number: str, answer: Answer) -> Check:
    """Meta's ``GET /{phone number id}``: by ``error.code``, which alone says what happened."""
    body = answer.json()
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        words = f"Meta says {error['code']}: {_short(error.get('message'))}"
        return Unavailable(words) if error["code"] in _META_LATER else Refused(words)
    if answer.status != 200:
        later = answer.status == 429 or answer.status >= 500
        return (Unavailable if later else Refused)(f"Meta answers HTTP {answer.status}")
    if not isinstance(body.get("display_phone_number"), str) or body.get("id", number) != number:
        return Refused(f"{number} is no phone number's id (it is neither the number nor the business account's id)")
    return Checked(_told(body, _PHONE_FIELDS))


def _told(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _short(body[name]) for name in names if body.get(name)}


def _short(words: Any) -> str:
    """Somebody else's words: one line, not too long, and nothing that JSON or PostgreSQL would refuse."""
    line = " ".join(str(words or "").encode(errors="replace").decode().replace("\0", "?").split())
    return line[:_SHOWN]
