"""What the settings of an integration must say, by provider; the credential is sealed and looked at by nobody here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nofy.domain.limits import limits_problem
from nofy.domain.routing import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

# What a Slack integration's credential is: a bot's token, or the address of an incoming webhook.
SLACK_KINDS = ("bot", "webhook")


def settings_problem(provider: Provider, settings: Any) -> str | None:
    """What is wrong with these settings, in words for whoever gave them; None if a message can be sent with them."""
    if not isinstance(settings, dict):
        return "settings must be a JSON object"
    limits = settings.get("limits")
    return _PROBLEMS[provider](settings) or (None if limits is None else limits_problem(limits))


def _slack(settings: dict[str, Any]) -> str | None:
    return None if settings.get("kind") in SLACK_KINDS else 'slack needs {"kind": "bot"} or {"kind": "webhook"}'


def _brevo(settings: dict[str, Any]) -> str | None:
    sender = settings.get("sender")
    email = sender.get("email") if isinstance(sender, dict) else None
    sound = isinstance(email, str) and re.fullmatch(r"[^\s@]+@[^\s@]+", email)
    return None if sound else 'email needs {"sender": {"email": "no-reply@example.com", "name": "Example"}}'


def _whatsapp(settings: dict[str, Any]) -> str | None:
    number = settings.get("phone_number_id")
    return None if isinstance(number, str) and number.isdigit() else 'whatsapp needs {"phone_number_id": "<digits>"}'


_PROBLEMS: dict[Provider, Callable[[dict[str, Any]], str | None]] = {
    Provider.SLACK: _slack,
    Provider.BREVO: _brevo,
    Provider.WHATSAPP: _whatsapp,
}
