"""The WhatsApp sender: runs outside the VPC, may open credentials and nothing else."""

from __future__ import annotations

from typing import Any

from nofy.adapters.providers.whatsapp import WhatsAppClient
from nofy.runtime import settings
from nofy.runtime.observability import observed
from nofy.runtime.sending import answer, channel_sender

configured = settings.load(settings.WhatsAppSettings)
sender = channel_sender(WhatsAppClient, configured.whatsapp_api_url)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return answer(sender, event)
