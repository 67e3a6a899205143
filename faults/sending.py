"""The way to the provider without Lambda: the real sender and the real clients, in the consumer's process.

Two things are told to the stub that no provider needs to know: which attempt a call belongs to, and (as the
credential) for whom it is made. Its ledger is then independent of everything that we say ourselves.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nofy.adapters.providers.brevo import BrevoClient
from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.adapters.providers.slack import SlackClient
from nofy.adapters.providers.whatsapp import WhatsAppClient
from nofy.domain.routing import Provider
from nofy.domain.sending import message_of
from nofy.pipeline.send import ChannelSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Leased
    from nofy.domain.outcomes import Outcome
    from nofy.domain.sending import Message, SealedCredential
    from nofy.ports.clock import Clock
    from nofy.ports.provider import ProviderClient

ATTEMPT_HEADER = "x-harness-attempt"
_SETTING = "harness_attempt"
_attempt: ContextVar[int] = ContextVar("attempt")  # of the task that calls


class OpenVault:
    """Implements :class:`nofy.ports.provider.Vault`: nothing is sealed here."""

    async def open(self, sealed: SealedCredential) -> str:
        return sealed.ciphertext.decode()


class TellingHttp(HttpClient):
    """Says in a header which attempt it is."""

    async def _ask(self, request: Request) -> Answer:
        headers: dict[str, Any] = {**request.headers, ATTEMPT_HEADER: str(_attempt.get())}
        return await super()._ask(replace(request, headers=headers))


class AttemptTold:
    """Implements :class:`nofy.ports.provider.ProviderClient` around another one."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def call(self, message: Message, credential: str) -> Outcome:
        _attempt.set(message.settings[_SETTING])
        return await self._client.call(message, credential)


class Warm:
    """A sender function's environments: each serves one invoke at a time, and is kept for the next one."""

    def __init__(self, start: Callable[[], ChannelSender]) -> None:
        self._start = start
        self._idle: list[ChannelSender] = []

    @contextmanager
    def sender(self) -> Iterator[ChannelSender]:
        try:
            sender = self._idle.pop()
        except IndexError:
            sender = self._start()
        yield sender
        self._idle.append(sender)


_CLIENTS: dict[Provider, Callable[[str, HttpClient], ProviderClient]] = {
    Provider.SLACK: SlackClient,
    Provider.BREVO: BrevoClient,
    Provider.WHATSAPP: WhatsAppClient,
}


def client_of(provider: Provider, provider_url: str, http: HttpClient) -> ProviderClient:
    """As its function makes it, for a stub that answers as all of them do."""
    return _CLIENTS[provider](f"{provider_url}/{provider}", http)


class HttpSender:
    """Implements :class:`nofy.ports.sender.Sender`."""

    def __init__(self, provider_url: str, now: Clock) -> None:
        """With the consumer's clock: two that are five seconds apart have no room in a shortened time-out of five."""
        self._provider_url = provider_url
        self._now = now
        self._warm = {each: Warm(partial(self._started, each)) for each in Provider}

    def send(self, provider: Provider, batch: Sequence[Leased], deadline: datetime) -> list[Outcome]:
        with self._warm[provider].sender() as sender:
            return sender.send([_told(each) for each in batch], deadline)

    def _started(self, provider: Provider) -> ChannelSender:
        client = client_of(provider, self._provider_url, TellingHttp())
        return ChannelSender(AttemptTold(client), OpenVault(), self._now)

    def weigh(self, delivery: Leased) -> int:
        return len(str(delivery.content))


def _told(leased: Leased) -> Message:
    message = message_of(leased)
    return replace(message, settings={**message.settings, _SETTING: leased.fence.attempt_no})
