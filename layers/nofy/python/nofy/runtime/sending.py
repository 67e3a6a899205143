"""What the sender functions share: all but the provider's client, which each names so that it loads no other's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.aws.vault import KmsVault
from nofy.adapters.providers.http import HttpClient
from nofy.domain.sending import read_request, response
from nofy.pipeline.send import ChannelSender
from nofy.runtime import clock
from nofy.runtime.initialization import load_ahead
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.ports.provider import ProviderClient


def channel_sender(client: Callable[[str, HttpClient], ProviderClient], api_url: str) -> ChannelSender:
    """The sender of one provider's API. Its first message has a credential to be opened: by KMS, so by boto3."""
    load_ahead("boto3", "nofy.adapters.providers.wire")
    return ChannelSender(client(api_url, HttpClient()), KmsVault(), clock.now)


def answer(sender: ChannelSender, event: dict[str, Any]) -> dict[str, Any]:
    """The consumer's request in, an outcome for each of its messages out."""
    messages, deadline = read_request(event)
    outcomes = sender.send(messages, deadline)
    logger.info("messages sent", extra={"messages": len(messages)})
    return response(outcomes)
