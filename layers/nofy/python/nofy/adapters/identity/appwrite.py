"""AppWrite: asked whose a JWT is. It signs them with a secret of its own, so nobody else can tell.

Nothing is remembered. A browser comes once in a quarter of an hour and with another JWT each time, so a memory of
answers would save nothing, and a block or a sign-out would be noticed later.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Identity
from nofy.domain.errors import (
    IdentityMisconfiguredError,
    IdentityUnavailableError,
    NofyError,
    SignInRefusedError,
)

if TYPE_CHECKING:
    from nofy.adapters.identity.fetch import Fetched, Fetcher

log = logging.getLogger(__name__)

# What AppWrite's error types mean for whoever signs in, whatever the status: older servers block with 401.
_REFUSALS = {
    "user_jwt_invalid": "sign_in_invalid",
    "general_unauthorized_scope": "signed_out",
    "user_more_factors_required": "sign_in_invalid",
    "user_blocked": "user_blocked",
    "user_password_reset_required": "password_reset_required",
}
# AppWrite names no seconds for its own limits; its windows are a minute.
_LIMITED_RETRY = 60


class AppwriteIdentity:
    """Implements :class:`nofy.ports.identity.IdentityProvider`; endpoint and project are configuration alone."""

    def __init__(self, endpoint: str, project: str, fetcher: Fetcher) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._project = project
        self._fetcher = fetcher

    def identify(self, credential: str) -> Identity:
        headers = {"X-Appwrite-Project": self._project, "X-Appwrite-JWT": credential}
        answer = self._fetcher.get(f"{self._endpoint}/account", headers)
        if answer.status == 200:
            return self._identity(answer.json())
        raise _error_of(answer)

    def _identity(self, account: dict[str, Any] | None) -> Identity:
        """The account, if it is one: whatever is not said is not granted."""
        if account is None or not _is_account(account):
            raise IdentityUnavailableError("200 without an account")
        if not account["status"]:
            raise SignInRefusedError("user_blocked")
        if not (account["emailVerification"] and account["email"]):
            raise SignInRefusedError("email_unverified")
        return Identity(
            issuer=f"appwrite:{self._endpoint}/{self._project}",
            subject=account["$id"],
            email=account["email"],
            email_verified=True,
            name=str(account.get("name") or ""),
        )


def _is_account(value: dict[str, Any]) -> bool:
    texts = (value.get("$id"), value.get("email"))
    flags = (value.get("status"), value.get("emailVerification"))
    return (
        all(isinstance(each, str) for each in texts)
        and all(isinstance(each, bool) for each in flags)
        and bool(texts[0])
    )


def _error_of(answer: Fetched) -> NofyError:
    """The contract's table. A status that is no answer of AppWrite's own is no "no" either."""
    error = answer.json()
    kind = error.get("type") if error else None
    if isinstance(kind, str) and 400 <= answer.status < 500 and kind in _REFUSALS:
        return SignInRefusedError(_REFUSALS[kind])
    if answer.status == 429:
        return IdentityUnavailableError("AppWrite limits Nofy", retry_after=_LIMITED_RETRY)
    if 300 <= answer.status < 400 or (isinstance(kind, str) and 400 <= answer.status < 500):
        log.error("AppWrite refuses Nofy itself", extra={"status": answer.status, "type": kind})
        return IdentityMisconfiguredError(f"{answer.status} {kind}")
    return IdentityUnavailableError(f"AppWrite answered {answer.status}")
