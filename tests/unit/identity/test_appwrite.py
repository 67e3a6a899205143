"""AppWrite's answers, row by row of its contract (4.4), and what it is asked with."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from nofy.adapters.identity.appwrite import AppwriteIdentity
from nofy.adapters.identity.fetch import MAX_ANSWER, Fetcher
from nofy.domain.accounts import Identity
from nofy.domain.errors import IdentityMisconfiguredError, IdentityUnavailableError, SignInRefusedError
from tests.unit.providers.tiny_server import CLOSE, RESET, SILENCE, TinyServer, free_port, reply

ACCOUNT: dict[str, Any] = {
    "$id": "user_01",
    "name": "Ada",
    "email": "ada@example.com",
    "emailVerification": True,
    "status": True,
    "mfa": False,
    "labels": [],
}


def error(status: int, kind: str) -> bytes:
    body = {"message": "why", "code": status, "type": kind, "version": "1.9.6"}
    return reply(status, json.dumps(body).encode())


def account(**changes: Any) -> bytes:
    return reply(200, json.dumps(ACCOUNT | changes).encode())


def asked_of(say: bytes, fetcher: Fetcher) -> Identity:
    with TinyServer([say]) as server:
        return AppwriteIdentity(f"{server.url}/v1", "nofy", fetcher).identify("a.b.c")


def test_the_one_it_vouches_for_is_told_with_where_they_are_known(fetcher: Fetcher):
    with TinyServer([account()]) as server:
        found = AppwriteIdentity(f"{server.url}/v1/", "nofy", fetcher).identify("a.b.c")
        issuer = f"appwrite:{server.url}/v1/nofy"
    assert found == Identity(issuer, "user_01", "ada@example.com", email_verified=True, name="Ada")


def test_it_is_asked_with_our_project_and_the_jwt_and_nothing_else_that_signs_in(fetcher: Fetcher):
    with TinyServer([account()]) as server:
        AppwriteIdentity(f"{server.url}/v1", "nofy", fetcher).identify("a.b.c")
    asked = server.asked[0]
    assert asked.line == "GET /v1/account HTTP/1.1"
    assert (asked.headers["x-appwrite-project"], asked.headers["x-appwrite-jwt"]) == ("nofy", "a.b.c")
    assert not asked.headers.keys() & {"cookie", "authorization", "x-appwrite-session", "x-appwrite-key", "origin"}


@pytest.mark.parametrize(
    ("say", "code"),
    [
        (error(401, "user_jwt_invalid"), "sign_in_invalid"),
        (error(401, "general_unauthorized_scope"), "signed_out"),
        (error(403, "user_blocked"), "user_blocked"),
        (error(401, "user_blocked"), "user_blocked"),  # older servers
        (error(401, "user_more_factors_required"), "sign_in_invalid"),
        (error(412, "user_password_reset_required"), "password_reset_required"),
        (account(status=False), "user_blocked"),
        (account(status=False, emailVerification=False), "user_blocked"),
        (account(emailVerification=False), "email_unverified"),
        (account(email=""), "email_unverified"),
    ],
)
def test_somebody_it_does_not_vouch_for_is_refused_with_the_reason(say: bytes, code: str, fetcher: Fetcher):
    with pytest.raises(SignInRefusedError) as refused:
        asked_of(say, fetcher)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "say",
    [
        error(401, "general_access_forbidden"),
        error(404, "project_not_found"),
        error(403, "user_jwt_and_cookie_set"),
        error(403, "general_unknown_origin"),
        error(404, "general_route_not_found"),
        error(400, "general_argument_invalid"),
        reply(301, b"", Location="http://127.0.0.1:1/elsewhere"),
    ],
)
def test_when_it_refuses_nofy_itself_the_operator_is_told(say: bytes, fetcher: Fetcher, caplog):
    caplog.set_level(logging.ERROR, logger="nofy.adapters.identity.appwrite")
    logging.getLogger("nofy").propagate = True
    with pytest.raises(IdentityMisconfiguredError):
        asked_of(say, fetcher)
    assert "AppWrite refuses Nofy itself" in caplog.text
    assert "a.b.c" not in caplog.text


@pytest.mark.parametrize(
    "say",
    [
        error(500, "general_unknown"),
        error(503, "general_unknown"),
        error(500, "user_blocked"),
        reply(200, b"<html>"),
        reply(200, b"[]"),
        reply(200, b"{}"),
        account(**{"$id": ""}),
        account(status="true"),
        account(status=None),
        account(emailVerification="true"),
        account(email=None),
        reply(200, b'{"$id": "' + b"x" * MAX_ANSWER + b'"}'),
        reply(401, b"<html>a proxy</html>"),
        reply(403, b""),
        reply(204, b""),
        RESET,
        CLOSE,
        SILENCE,
    ],
)
def test_what_is_no_answer_of_its_own_is_neither_yes_nor_no(say: bytes, fetcher: Fetcher):
    with pytest.raises(IdentityUnavailableError):
        asked_of(say, fetcher)


def test_nobody_listening_is_no_answer_either(fetcher: Fetcher):
    with pytest.raises(IdentityUnavailableError):
        AppwriteIdentity(f"http://127.0.0.1:{free_port()}", "nofy", fetcher).identify("a.b.c")


def test_its_limit_is_a_reason_to_wait_for_its_window(fetcher: Fetcher):
    with pytest.raises(IdentityUnavailableError) as unavailable:
        asked_of(error(429, "general_rate_limit_exceeded"), fetcher)
    assert unavailable.value.retry_after == 60


def test_it_is_asked_once_and_a_redirect_is_not_followed(fetcher: Fetcher):
    with TinyServer([account()]) as elsewhere:
        say = reply(302, b"", Location=f"{elsewhere.url}/v1/account")
        with TinyServer([say]) as server, pytest.raises(IdentityMisconfiguredError):
            AppwriteIdentity(f"{server.url}/v1", "nofy", fetcher).identify("a.b.c")
    assert (len(server.asked), elsewhere.asked) == (1, [])


def test_every_question_is_asked_anew_so_that_a_block_counts_at_once(fetcher: Fetcher):
    with TinyServer([account(), error(403, "user_blocked")]) as server:
        appwrite = AppwriteIdentity(f"{server.url}/v1", "nofy", fetcher)
        appwrite.identify("a.b.c")
        with pytest.raises(SignInRefusedError):
            appwrite.identify("a.b.c")
