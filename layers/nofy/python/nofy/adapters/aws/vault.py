"""Provider credentials: sealed by KMS under the context of their project and integration, opened in senders only."""

from __future__ import annotations

import logging
from collections import OrderedDict
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import ProviderUnavailableError
from nofy.domain.timing import VAULT_TIMEOUT

if TYPE_CHECKING:
    from asyncio import Future
    from uuid import UUID

    from nofy.domain.sending import SealedCredential

log = logging.getLogger(__name__)

# Opened credentials kept in one sender's memory; a version that is not current any more is never asked for again.
_KEPT = 256


def encryption_context(project_id: UUID, integration_id: UUID) -> dict[str, str]:
    """What binds a ciphertext to its place: KMS refuses to open it under any other context."""
    return {"project": str(project_id), "integration": str(integration_id)}


def seal(client: Any, key_id: str, project_id: UUID, integration_id: UUID, credential: str) -> bytes:
    """The ciphertext of a credential; ``client`` is a KMS client that may encrypt with ``key_id``."""
    answer = client.encrypt(
        KeyId=key_id,
        Plaintext=credential.encode(),
        EncryptionContext=encryption_context(project_id, integration_id),
    )
    return bytes(answer["CiphertextBlob"])


class KmsSealer:
    """Seals credentials with one key, which it may encrypt with and nothing else."""

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._client: Any = None

    def seal(self, project_id: UUID, integration_id: UUID, credential: str) -> bytes:
        """The ciphertext, bound to its place. ProviderUnavailableError where KMS does not give one."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self._client is None:
            self._client = _kms()
        try:
            return seal(self._client, self._key_id, project_id, integration_id, credential)
        except (BotoCoreError, ClientError) as error:
            # Without its cause: KMS may repeat what it was asked to encrypt.
            log.error("not sealed", extra={"error": type(error).__name__, "code": _code(error)})  # noqa: TRY400
            raise ProviderUnavailableError("the credential cannot be sealed now") from None


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _kms() -> Any:
    import boto3
    from botocore.config import Config

    # boto3's own minute and its retries would outlive whoever asks.
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=VAULT_TIMEOUT, read_timeout=VAULT_TIMEOUT)
    return boto3.client("kms", config=config)


class KmsVault:
    """Implements :class:`nofy.ports.provider.Vault`; each version is opened once in a sender's life."""

    def __init__(self) -> None:
        self._client: Any = None
        self._connecting = Lock()
        self._opened: OrderedDict[SealedCredential, Future[str]] = OrderedDict()

    async def open(self, sealed: SealedCredential) -> str:
        """The credential. 32 calls start at once: one of them asks KMS, the others share its answer or its error.

        KMS is asked from a thread, so that whose credential is known does not wait for it.
        """
        from asyncio import get_running_loop

        opening = self._opened.get(sealed)
        if opening is None:
            opening = self._opened[sealed] = get_running_loop().run_in_executor(None, self._decrypt, sealed)
            opening.add_done_callback(partial(self._settled, sealed))
            if len(self._opened) > _KEPT:
                self._opened.popitem(last=False)
        return await opening

    def _settled(self, sealed: SealedCredential, opening: Future[str]) -> None:
        if opening.cancelled() or opening.exception():
            self._opened.pop(sealed, None)  # whoever comes later asks again

    def _decrypt(self, sealed: SealedCredential) -> str:
        answer = self._connected().decrypt(
            CiphertextBlob=sealed.ciphertext,
            EncryptionContext=encryption_context(sealed.project_id, sealed.integration_id),
        )
        return str(answer["Plaintext"].decode())

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None:
                self._client = _kms()
            return self._client
