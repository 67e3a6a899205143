"""Errors as RFC 9457 problem documents with a stable ``code``: the one place where an exception becomes a status."""

from __future__ import annotations

import json
from typing import Any

from nofy.domain.errors import (
    ConflictError,
    ForbiddenError,
    IdempotencyKeyReusedError,
    IdentityUnavailableError,
    InvalidRequestError,
    InvitationForAnotherError,
    MalformedRequestError,
    NofyError,
    NotFoundError,
    ProjectMissingError,
    ProviderUnavailableError,
    QuotaExceededError,
    RateLimitedError,
    RequestOutOfBoundsError,
    SignInRefusedError,
    StoreUnavailableError,
    TokenExpiredError,
    TooLargeError,
    UnauthenticatedError,
)
from nofy.runtime.api.responses import Response

CONTENT_TYPE = "application/problem+json"

# Status, code and title of every error a caller can meet. The gateway's own answers use the same codes.
_KINDS: dict[type[NofyError], tuple[int, str, str]] = {
    MalformedRequestError: (400, "malformed_json", "The body is not valid JSON"),
    ProjectMissingError: (400, "project_missing", "The request does not say which project it is for"),
    RequestOutOfBoundsError: (400, "out_of_bounds", "The query or a header is not what it may be"),
    UnauthenticatedError: (401, "unauthenticated", "A valid token is needed"),
    TokenExpiredError: (401, "token_expired", "The console token has expired; sign in again"),
    ForbiddenError: (403, "forbidden", "This is not allowed here; the permission it takes stands beside"),
    InvitationForAnotherError: (403, "invitation_for_another_person", "This invitation is for another e-mail address"),
    NotFoundError: (404, "not_found", "There is no such thing in this project"),
    TooLargeError: (413, "request_too_large", "The request is over 256 KB"),
    InvalidRequestError: (422, "invalid_request", "The request cannot be accepted as it is"),
    IdempotencyKeyReusedError: (422, "idempotency_key_reused", "This idempotency key came with another body"),
    RateLimitedError: (429, "rate_limited", "More requests than this project may make; slow down"),
    QuotaExceededError: (429, "quota_exceeded", "The project's notifications of this day (UTC) are used up"),
    StoreUnavailableError: (503, "temporarily_unavailable", "Nothing was accepted; try again shortly"),
    ProviderUnavailableError: (503, "provider_unavailable", "The provider cannot be asked now; nothing was saved"),
    IdentityUnavailableError: (503, "identity_unavailable", "Nobody can be signed in now; try again shortly"),
}
# Status and title of a refused sign-in, by its code.
_SIGN_IN: dict[str, tuple[int, str]] = {
    "sign_in_invalid": (401, "The sign-in is not valid or has expired; sign in again"),
    "signed_out": (401, "This sign-in was signed out; sign in again"),
    "user_blocked": (403, "This account is blocked"),
    "email_unverified": (403, "The account's e-mail address is not verified yet"),
    "password_reset_required": (403, "The account needs a new password first"),
}
# Errors that may say when to try again.
_PATIENT = (ConflictError, IdentityUnavailableError, ProviderUnavailableError, RateLimitedError)
_UNFORESEEN = (500, "internal_error", "Something went wrong here")


def document_of(status: int, code: str, title: str, request_id: str, **more: Any) -> dict[str, Any]:
    """A problem document."""
    return {
        "type": f"urn:nofy:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "request_id": request_id,
        **more,
    }


def document_of_error(error: NofyError, request_id: str) -> dict[str, Any]:
    """The problem document of an error Nofy raised on purpose."""
    if isinstance(error, ConflictError):
        return document_of(409, error.code, str(error), request_id)
    if isinstance(error, SignInRefusedError) and error.code in _SIGN_IN:
        status, title = _SIGN_IN[error.code]
        return document_of(status, error.code, title, request_id)
    status, code, title = _KINDS.get(type(error), _UNFORESEEN)
    more: dict[str, Any] = {"detail": str(error)} if status in (400, 413) else {}
    if isinstance(error, InvalidRequestError):
        more["errors"] = [{"path": e.path, "code": e.code, "message": e.message} for e in error.errors]
    if isinstance(error, ForbiddenError):
        more["permission"] = error.permission
    return document_of(status, code, title, request_id, **more)


def of_error(error: NofyError, request_id: str) -> Response:
    """The answer to an error Nofy raised on purpose."""
    document = document_of_error(error, request_id)
    headers = {503: {"Retry-After": "5"}, 401: {"WWW-Authenticate": "Bearer"}}.get(document["status"], {})
    if isinstance(error, _PATIENT) and error.retry_after:
        headers = {"Retry-After": str(error.retry_after)}
    return problem(document, headers)


def problem(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem document as an answer."""
    return Response(document["status"], json.dumps(document), {"Content-Type": CONTENT_TYPE, **(headers or {})})
