"""The vault: runs outside the VPC, asks providers whether they know a credential, and seals it. It opens none."""

from __future__ import annotations

from typing import Any

from nofy.adapters.aws.vault import KmsSealer
from nofy.adapters.providers.checks import ProviderChecks
from nofy.adapters.providers.http import HttpClient
from nofy.runtime import settings
from nofy.runtime.observability import observed
from nofy.runtime.sealing import answer

configured = settings.load(settings.VaultSettings)
checks = ProviderChecks(configured.slack_api_url, configured.brevo_api_url, configured.whatsapp_api_url, HttpClient())
sealer = KmsSealer(configured.credentials_key_id)


@observed
def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return answer(checks, sealer, event)
