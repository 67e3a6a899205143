"""The hop from the console, which has no way out, to the vault function: one invoke, with a credential in it.

Nothing that is raised or logged here says what was sent: an error of the vault's may repeat it.
"""

from __future__ import annotations

import base64
import json
import logging
from threading import Lock
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import CredentialRefusedError, ProviderUnavailableError
from nofy.domain.timing import VAULT_READ_TIMEOUT
from nofy.ports.accounts import CheckedCredential

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.routing import Channel

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 2
_UNAVAILABLE = "the credential cannot be checked now"


class LambdaVault:
    """Implements :class:`nofy.ports.accounts.CredentialSealer`."""

    def __init__(self, function_name: str) -> None:
        self._function = function_name
        self._client: Any = None
        self._lock = Lock()

    def check_and_seal(
        self, project_id: UUID, integration_id: UUID, channel: Channel, settings: dict[str, Any], credential: str
    ) -> CheckedCredential:
        asked = {
            "project_id": str(project_id),
            "integration_id": str(integration_id),
            "channel": channel.value,
            "settings": settings,
            "credential": credential,
        }
        return _read(self._invoke(asked))

    def _invoke(self, event: dict[str, Any]) -> bytes:
        try:
            answer = self._connected().invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
            body = bytes(answer["Payload"].read())
        except Exception as error:  # noqa: BLE001  # whatever it was, nothing was saved, and its words stay here
            log.error("vault not reached", extra={"error": type(error).__name__})  # noqa: TRY400
            raise ProviderUnavailableError(_UNAVAILABLE) from None
        if "FunctionError" in answer:
            log.error("vault failed", extra={"error": answer["FunctionError"]})
            raise ProviderUnavailableError(_UNAVAILABLE)
        return body

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                import boto3
                from botocore.config import Config

                # One try: what boto3 would do again is a person waiting twice as long.
                config = Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=VAULT_READ_TIMEOUT,
                )
                self._client = boto3.client("lambda", config=config)
            return self._client


def _read(body: bytes) -> CheckedCredential:
    """What the vault answered; ProviderUnavailableError also for an answer that is none."""
    try:
        match json.loads(body):
            case {"status": "sealed", "ciphertext": str(sealed), "hint": str(hint), "details": dict(details)}:
                return CheckedCredential(base64.b64decode(sealed, validate=True), hint, details)
            case {"status": "refused", "reason": str(reason)}:
                raise CredentialRefusedError(reason)
            case {"status": "unavailable", "reason": str(reason)}:
                raise ProviderUnavailableError(reason)
    except (ValueError, RecursionError):
        pass
    log.error("vault's answer not read", extra={"bytes": len(body)})
    raise ProviderUnavailableError(_UNAVAILABLE)
