"""The Brevo sender: runs outside the VPC, may open credentials and nothing else."""

from __future__ import annotations

from typing import Any

from nofy.adapters.aws.vault import KmsVault
from nofy.adapters.providers.brevo import BrevoClient
from nofy.adapters.providers.http import HttpClient
from nofy.domain.sending import read_request, response
from nofy.pipeline.send import ChannelSender
from nofy.runtime import clock, settings
from nofy.runtime.observability import logger, observed

configured = settings.load(settings.BrevoSettings)
sender = ChannelSender(BrevoClient(configured.brevo_api_url, HttpClient()), KmsVault(), clock.now)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    messages, deadline = read_request(event)
    outcomes = sender.send(messages, deadline)
    logger.info("messages sent", extra={"messages": len(messages)})
    return response(outcomes)
