"""What the vault function does: ask the provider about a credential, then seal it for one integration and no other."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from nofy.adapters.providers.checks import Checked, Refused, Unavailable
from nofy.domain.errors import ProviderUnavailableError
from nofy.domain.integrations import hint_of
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.runtime.observability import logger

if TYPE_CHECKING:
    from nofy.adapters.aws.vault import KmsSealer
    from nofy.adapters.providers.checks import ProviderChecks


def answer(checks: ProviderChecks, sealer: KmsSealer, event: dict[str, Any]) -> dict[str, Any]:
    """The console's question in; sealed, refused or unavailable out. Only its kind and its integration are logged."""
    integration_id, channel = UUID(event["integration_id"]), Channel(event["channel"])
    told = _told(checks, sealer, event, integration_id, channel)
    known = {"integration": str(integration_id), "channel": channel.value, "status": told["status"]}
    logger.info("credential checked", extra=known)
    return told


def _told(
    checks: ProviderChecks, sealer: KmsSealer, event: dict[str, Any], integration_id: UUID, channel: Channel
) -> dict[str, Any]:
    provider, credential = PROVIDER_OF[channel], str(event["credential"])
    result = checks.check(provider, event["settings"], credential)
    match result:
        case Refused(reason):
            return {"status": "refused", "reason": reason}
        case Unavailable(reason):
            return {"status": "unavailable", "reason": reason}
        case Checked(details):
            try:
                sealed = sealer.seal(UUID(event["project_id"]), integration_id, credential)
            except ProviderUnavailableError as error:
                return {"status": "unavailable", "reason": str(error)}
            ciphertext = base64.b64encode(sealed).decode()
            hint = hint_of(provider, credential)
            return {"status": "sealed", "ciphertext": ciphertext, "hint": hint, "details": details}
        case _:
            assert_never(result)
