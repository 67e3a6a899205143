"""Refused and impossible sign-ins, as problem documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nofy.domain.errors import (
    IdentityMisconfiguredError,
    IdentityUnavailableError,
    NofyError,
    SignInRefusedError,
    TokenExpiredError,
)
from nofy.runtime.api.problems import of_error

BEARER = {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (SignInRefusedError("sign_in_invalid"), 401, "sign_in_invalid", BEARER),
        (SignInRefusedError("signed_out"), 401, "signed_out", BEARER),
        (SignInRefusedError("user_blocked"), 403, "user_blocked", {}),
        (SignInRefusedError("email_unverified"), 403, "email_unverified", {}),
        (SignInRefusedError("password_reset_required"), 403, "password_reset_required", {}),
        (TokenExpiredError("late"), 401, "token_expired", BEARER),
        (IdentityUnavailableError("gone", retry_after=60), 503, "identity_unavailable", {"Retry-After": "60"}),
        (IdentityMisconfiguredError("404 project_not_found"), 500, "internal_error", {}),
    ],
)
def test_each_has_its_status_and_its_code(error: NofyError, status: int, code: str, headers: dict[str, Any]):
    response = of_error(error, "req-1")
    document = json.loads(response.body or "")
    assert (response.status_code, document["status"], document["code"]) == (status, status, code)
    assert {name: value for name, value in response.headers.items() if name != "Content-Type"} == headers
    assert "project_not_found" not in (response.body or "")
