"""The way to the provider without Lambda: the real sender and the real clients, in the consumer's process.

Two things are told to the stub that no provider needs to know: which attempt a call belongs to, and (as the
credential) for whom it is made. Its ledger is then independent of everything that we say ourselves.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nofy.adapters.providers.brevo import BrevoClient
from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.adapters.providers.slack import SlackClient
from nofy.adapters.providers.whatsapp import WhatsAppClient
from nofy.domain.routing import Provider
from nofy.domain.sending import message_of
from nofy.pipeline.send import ChannelSender

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.sending import Message, SealedCredential
    from nofy.ports.clock import Clock
    from nofy.ports.provider import ProviderClient

ATTEMPT_HEADER = "x-harness-attempt"
_SETTING = "harness_attempt"
_current = threading.local()


class OpenVault:
    """Implements :class:`nofy.ports.provider.Vault`: nothing is sealed here."""

    def open(self, sealed: SealedCredential) -> str:
        return sealed.ciphertext.decode()


class TellingHttp(HttpClient):
    """Says in a header which attempt it is."""

    def _ask(self, request: Request) -> Answer:
        headers: dict[str, Any] = {**request.headers, ATTEMPT_HEADER: str(_current.attempt)}
        return super()._ask(replace(request, headers=headers))


class AttemptTold:
    """Implements :class:`nofy.ports.provider.ProviderClient` around another one."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    def call(self, message: Message, credential: str) -> Outcome:
        _current.attempt = message.settings[_SETTING]
        return self._client.call(message, credential)


class HttpSender:
    """Implements :class:`nofy.ports.sender.Sender`."""

    def __init__(self, provider_url: str, now: Clock) -> None:
        """With the consumer's clock: two that are five seconds apart have no room in a shortened time-out of five."""
        clients: dict[Provider, ProviderClient] = {
            Provider.SLACK: SlackClient(f"{provider_url}/slack", TellingHttp()),
            Provider.BREVO: BrevoClient(f"{provider_url}/brevo", TellingHttp()),
            Provider.WHATSAPP: WhatsAppClient(f"{provider_url}/whatsapp", TellingHttp()),
        }
        self._senders = {
            provider: ChannelSender(AttemptTold(client), OpenVault(), now) for provider, client in clients.items()
        }

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        return self._senders[provider].send([_told(each) for each in batch], deadline)

    def weigh(self, delivery: Leased) -> int:
        return len(str(delivery.content))


def _told(leased: Leased) -> Message:
    message = message_of(leased)
    return replace(message, settings={**message.settings, _SETTING: leased.fence.attempt_no})
