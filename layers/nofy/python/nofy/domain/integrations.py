"""What an integration's settings and credential must look like, by provider, and what people may see of a credential.

A credential becomes part of a request: an HTTP header, or (an incoming webhook) the address itself. What could begin
another header, or lead to a host that is not the provider's, is refused before it is sealed, and once more by the
sender before it is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nofy.domain.errors import FieldError
from nofy.domain.rates import limits_problem
from nofy.domain.routing import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

# What a Slack integration's credential is: a bot's token, or the address of an incoming webhook.
SLACK_KINDS = ("bot", "webhook")
# Where Slack keeps incoming webhooks; the second serves GovSlack.
SLACK_WEBHOOK_ROOTS = ("https://hooks.slack.com", "https://hooks.slack-gov.com")
_SLACK_API_HOSTS = frozenset({"slack.com", "slack-gov.com"})

# Far above any provider's; below the 4,096 bytes that KMS takes.
MAX_CREDENTIAL = 2048
# A credential is shown by this much of its end, and never by more than a quarter of what is secret in it.
SHOWN = 4

# As strict as the API is with addresses: one @, a dot in the domain, nothing that could begin another header.
_EMAIL = re.compile(r"[^\s@<>\x00-\x1f\x7f]{1,64}@[^\s@<>\x00-\x1f\x7f]+\.[^\s@<>.\x00-\x1f\x7f]+")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,70}")  # Brevo's limit
# ``isdigit`` would take the digits of every script into an address.
_DIGITS = re.compile(r"[0-9]{1,20}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_WEBHOOK_PATH = r"/services/T[A-Z0-9]{1,20}/B[A-Z0-9]{1,20}/[A-Za-z0-9_-]{1,64}"


def settings_errors(provider: Provider, settings: Any) -> list[FieldError]:
    """Everything that is wrong with these settings, by JSON Pointers from the integration (``/settings/...``).

    Fields nobody knows are refused: settings are stored and shown in the clear, and a credential may be among them.
    """
    if not isinstance(settings, dict):
        return [FieldError("/settings", "invalid", "settings must be a JSON object")]
    errors = list(_unknown("/settings", settings, _FIELDS[provider]))
    errors += _ERRORS[provider](settings)
    limits = settings.get("limits")
    if limits is not None and (problem := limits_problem(limits)):
        errors.append(FieldError("/settings/limits", "invalid", problem))
    return errors


def settings_problem(provider: Provider, settings: Any) -> str | None:
    """The same in one line for an operator; None if a message can be sent with them."""
    return "; ".join(f"{each.path}: {each.message}" for each in settings_errors(provider, settings)) or None


def _unknown(path: str, given: dict[str, Any], known: Collection[str]) -> Iterator[FieldError]:
    return (FieldError(f"{path}/{_escaped(name)}", "unknown", "no such field") for name in given if name not in known)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _slack(settings: dict[str, Any]) -> Iterator[FieldError]:
    if settings.get("kind") not in SLACK_KINDS:
        code = "invalid" if "kind" in settings else "required"
        yield FieldError("/settings/kind", code, 'slack needs {"kind": "bot"} or {"kind": "webhook"}')


def _brevo(settings: dict[str, Any]) -> Iterator[FieldError]:
    sender = settings.get("sender")
    if not isinstance(sender, dict):
        needed = 'email needs {"sender": {"email": "no-reply@example.com", "name": "Example"}}'
        yield FieldError("/settings/sender", "invalid" if "sender" in settings else "required", needed)
        return
    yield from _unknown("/settings/sender", sender, ("email", "name"))
    if not _is(_EMAIL, sender.get("email")):
        code = "invalid" if "email" in sender else "required"
        yield FieldError("/settings/sender/email", code, "email needs an address to send from")
    if "name" in sender and not _is(_NAME, sender["name"]):
        yield FieldError("/settings/sender/name", "invalid", "a name needs one line of at most 70 characters")


def _whatsapp(settings: dict[str, Any]) -> Iterator[FieldError]:
    if not _is(_DIGITS, settings.get("phone_number_id")):
        code = "invalid" if "phone_number_id" in settings else "required"
        yield FieldError("/settings/phone_number_id", code, 'whatsapp needs {"phone_number_id": "<digits>"}')


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_FIELDS: dict[Provider, tuple[str, ...]] = {
    Provider.SLACK: ("kind", "limits"),
    Provider.BREVO: ("sender", "limits"),
    Provider.WHATSAPP: ("phone_number_id", "limits"),
}
_ERRORS: dict[Provider, Callable[[dict[str, Any]], Iterator[FieldError]]] = {
    Provider.SLACK: _slack,
    Provider.BREVO: _brevo,
    Provider.WHATSAPP: _whatsapp,
}


def webhook_roots(slack_api_url: str) -> tuple[str, ...]:
    """Where incoming webhooks may be: Slack's hosts, and what stands in for Slack where something does.

    Only whoever deploys says so: ``http://127.0.0.1:9000/slack/api`` adds ``http://127.0.0.1:9000/slack``.
    """
    if urlsplit(slack_api_url).hostname in _SLACK_API_HOSTS:
        return SLACK_WEBHOOK_ROOTS
    return (*SLACK_WEBHOOK_ROOTS, slack_api_url.rstrip("/").removesuffix("/api"))


def is_webhook(address: str, roots: Sequence[str] = SLACK_WEBHOOK_ROOTS) -> bool:
    """Whether this is an incoming webhook's address: one of the roots, Slack's path, and nothing else.

    The text itself is matched, not what somebody's parser makes of it: there is no room in it for a user, a port,
    a query, a dot segment or an escape that another parser would read in another way.
    """
    return any(re.fullmatch(re.escape(root) + _WEBHOOK_PATH, address) for root in roots)


def is_printable(credential: str) -> bool:
    """Whether it can stand in a header: printable ASCII without spaces, so that it begins no other header."""
    return len(credential) <= MAX_CREDENTIAL and _PRINTABLE.fullmatch(credential) is not None


def credential_problem(
    provider: Provider, settings: dict[str, Any], credential: str, roots: Sequence[str] = SLACK_WEBHOOK_ROOTS
) -> str | None:
    """What is wrong with a credential at first sight, without a piece of it; None if its provider may be asked."""
    if not is_printable(credential):
        return f"a credential is 1 to {MAX_CREDENTIAL} printable ASCII characters without spaces"
    if provider is Provider.SLACK and settings.get("kind") == "webhook":
        wanted = "an incoming webhook's address looks like https://hooks.slack.com/services/T.../B.../..."
        return None if is_webhook(credential, roots) else wanted
    for prefix in _PREFIXES[provider]:
        if credential.startswith(prefix) and len(credential) > len(prefix):
            return None
    return _WANTED[provider] if _PREFIXES[provider] else None


# Meta promises nothing about how its tokens begin.
_PREFIXES: dict[Provider, tuple[str, ...]] = {
    Provider.SLACK: ("xoxb-", "xoxp-"),
    Provider.BREVO: ("xkeysib-",),
    Provider.WHATSAPP: (),
}
_WANTED = {
    Provider.SLACK: "a Slack token begins with xoxb- (or xoxp-)",
    Provider.BREVO: "a Brevo API key begins with xkeysib- (an SMTP key, xsmtpsib-, is another thing)",
}


def secret_part(credential: str) -> str:
    """The part of a credential that nobody may see: of a webhook's address its end, else all of it."""
    return credential.rpartition("/")[2] if credential.startswith(("https://", "http://")) else credential


def hint_of(provider: Provider, credential: str) -> str:
    """A credential as people may see it: ``xoxb-…ab12``, ``https://hooks.slack.com/services/T…/…3fXz``."""
    secret = secret_part(credential)
    if secret != credential:
        parts = urlsplit(credential)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/services/T…/"
    else:
        shown = next((each for each in _PREFIXES[provider] if credential.startswith(each)), "")
        secret = credential.removeprefix(shown)
    ending = secret[len(secret) - min(SHOWN, len(secret) // 4) :]
    return f"{shown}…{ending}"
