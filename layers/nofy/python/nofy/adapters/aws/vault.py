"""Provider credentials: sealed by KMS under the context of their project and integration, opened in senders only."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.sending import SealedCredential

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


class KmsVault:
    """Implements :class:`nofy.ports.provider.Vault`; each version is opened once in a sender's life."""

    def __init__(self) -> None:
        self._client: Any = None
        self._opened: OrderedDict[SealedCredential, str] = OrderedDict()
        self._lock = Lock()  # 32 calls start at once: one of them asks KMS, the others wait for it

    def open(self, sealed: SealedCredential) -> str:
        with self._lock:
            if sealed not in self._opened:
                self._opened[sealed] = self._decrypt(sealed)
                if len(self._opened) > _KEPT:
                    self._opened.popitem(last=False)
            return self._opened[sealed]

    def _decrypt(self, sealed: SealedCredential) -> str:
        if self._client is None:
            import boto3

            self._client = boto3.client("kms")
        answer = self._client.decrypt(
            CiphertextBlob=sealed.ciphertext,
            EncryptionContext=encryption_context(sealed.project_id, sealed.integration_id),
        )
        return str(answer["Plaintext"].decode())
