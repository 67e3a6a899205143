"""Errors as problem documents: the one place where an exception becomes a status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nofy.domain import errors
from nofy.domain.errors import (
    BusUnavailableError,
    ConflictError,
    FieldError,
    ForbiddenError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    MalformedRequestError,
    NofyError,
    NotFoundError,
    ProjectMissingError,
    QuotaExceededError,
    RateLimitedError,
    RequestOutOfBoundsError,
    StoreUnavailableError,
    TooLargeError,
    UnauthenticatedError,
)
from nofy.runtime.api.problems import of_error


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (MalformedRequestError("line 1"), 400, "malformed_json", {}),
        (UnauthenticatedError(), 401, "unauthenticated", {"WWW-Authenticate": "Bearer"}),
        (ProjectMissingError("x"), 400, "project_missing", {}),
        (RequestOutOfBoundsError("x"), 400, "out_of_bounds", {}),
        (ForbiddenError("notifications:send"), 403, "forbidden", {}),
        (NotFoundError("ntf_x"), 404, "not_found", {}),
        (RateLimitedError(3), 429, "rate_limited", {"Retry-After": "3"}),
        (QuotaExceededError(3600), 429, "quota_exceeded", {"Retry-After": "3600"}),
        (ConflictError("not_movable", "too late"), 409, "not_movable", {}),
        (ConflictError("idempotency_key_in_flight", "wait", 1), 409, "idempotency_key_in_flight", {"Retry-After": "1"}),
        (TooLargeError("300000 bytes"), 413, "request_too_large", {}),
        (InvalidRequestError([]), 422, "invalid_request", {}),
        (IdempotencyKeyReusedError(), 422, "idempotency_key_reused", {}),
        (StoreUnavailableError("gone"), 503, "temporarily_unavailable", {"Retry-After": "5"}),
        (BusUnavailableError("gone"), 500, "internal_error", {}),
        (NofyError("whatever"), 500, "internal_error", {}),
    ],
)
def test_each_error_has_its_status_its_code_and_its_headers(error: NofyError, status: int, code: str, headers: Any):
    response = of_error(error, "req-1")
    document = json.loads(response.body or "")
    assert (response.status_code, document["status"], document["code"]) == (status, status, code)
    assert response.headers == {"Content-Type": "application/problem+json", **headers}
    assert document["type"] == f"urn:nofy:problem:{code}"
    assert document["request_id"] == "req-1"
    assert document["title"]


def test_every_field_error_is_told():
    told = [FieldError("/to/email", "invalid", "not an e-mail address"), FieldError("/channels", "required", "x")]
    document = json.loads(of_error(InvalidRequestError(told), "req-1").body or "")
    assert document["errors"] == [
        {"path": "/channels", "code": "required", "message": "x"},
        {"path": "/to/email", "code": "invalid", "message": "not an e-mail address"},
    ]


@pytest.mark.parametrize("error", [StoreUnavailableError("host=db password=hunter2"), NofyError("hunter2")])
def test_what_happened_inside_is_not_told_outside(error: NofyError):
    assert "hunter2" not in (of_error(error, "req-1").body or "")


def test_every_error_of_ours_becomes_an_answer():
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, NofyError):
            arguments = {InvalidRequestError: ([],), ConflictError: ("code", "message")}.get(kind, ("x",))
            assert of_error(kind(*arguments), "req-1").status_code >= 400
