"""The AppWrite simulator, as the web SDK and as our own function meet it."""

import json

import jwt
import pytest

from local.simulators.appwrite_accounts import JWT_SECRET
from local.simulators.rates import Limits
from tests.unit.simulators.conftest import client_of

V1 = "/appwrite/v1"
ADA = {"email": "ada@example.com", "password": "nofy-local-ada"}
ORIGIN = "http://127.0.0.1:5173"


def call(sim, method, path, body=None, project="nofy-local", **headers):
    return sim.call(method, V1 + path, body, X_Appwrite_Project=project, **headers)


def sign_in(sim, **who):
    answer = call(sim, "POST", "/account/sessions/email", who or ADA)
    assert answer.status == 201
    return answer.headers["Set-Cookie"].partition(";")[0]


def jwt_of(sim, **body):
    return call(sim, "POST", "/account/jwts", body, Cookie=sign_in(sim)).body["jwt"]


def refused(answer, status, kind):
    assert (answer.status, answer.body["code"], answer.body["type"]) == (status, status, kind)
    assert answer.body.keys() == {"message", "code", "type", "version"}


def test_somebody_signs_up_and_in_and_is_not_verified_yet(sim):
    made = call(sim, "POST", "/account", {"userId": "unique()", "email": "new@example.com", "password": "12345678"})
    assert (made.status, made.body["emailVerification"], made.body["status"]) == (201, False, True)
    cookie = sign_in(sim, email="New@example.com", password="12345678")
    account = call(sim, "GET", "/account", Cookie=cookie)
    assert (account.status, account.body["$id"], account.body["email"]) == (200, made.body["$id"], "new@example.com")


@pytest.mark.parametrize("changes", [{"email": "nobody"}, {"password": "short"}, {"userId": "no spaces"}, {"email": 7}])
def test_a_sign_up_that_is_not_sound_is_refused(sim, changes):
    body = {"userId": "unique()", "email": "new@example.com", "password": "12345678", **changes}
    refused(call(sim, "POST", "/account", body), 400, "general_argument_invalid")


def test_an_address_has_one_account(sim):
    refused(call(sim, "POST", "/account", {"userId": "x", **ADA}), 409, "user_already_exists")


def test_a_wrong_password_and_an_unknown_address_are_the_same(sim):
    for who in (ADA | {"password": "wrong-password"}, {"email": "who@example.com", "password": "wrong-password"}):
        refused(call(sim, "POST", "/account/sessions", who), 401, "user_invalid_credentials")


def test_a_session_is_shown_without_its_secret_and_kept_by_cookie_or_by_the_sdk(sim):
    answer = call(sim, "POST", "/account/sessions/email", ADA)
    assert (answer.body["secret"], answer.body["current"], answer.body["provider"]) == ("", True, "email")
    fallback = answer.headers["X-Fallback-Cookies"]
    assert call(sim, "GET", "/account", X_Fallback_Cookies=fallback).status == 200
    secret = json.loads(fallback)["a_session_nofy-local"]
    assert call(sim, "GET", "/account", X_Appwrite_Session=secret).status == 200
    assert call(sim, "GET", "/account", X_Appwrite_Session=secret[:-1]).status == 401


@pytest.mark.parametrize("path", ["/account/jwts", "/account/jwt"])
def test_a_jwt_says_who_which_session_and_until_when(sim, path):
    made = call(sim, "POST", path, {"duration": 60}, Cookie=sign_in(sim))
    claims = jwt.decode(made.body["jwt"], JWT_SECRET, algorithms=["HS256"])
    assert (made.status, claims.keys()) == (201, {"userId", "sessionId", "exp"})
    assert call(sim, "GET", "/account", X_Appwrite_JWT=made.body["jwt"]).body["email"] == "ada@example.com"


@pytest.mark.parametrize("duration", [-1, 3601, "60", True])
def test_a_jwt_lives_up_to_an_hour(sim, duration):
    answer = call(sim, "POST", "/account/jwts", {"duration": duration}, Cookie=sign_in(sim))
    refused(answer, 400, "general_argument_invalid")


def test_a_jwt_expires_after_a_quarter_of_an_hour(sim):
    token = jwt_of(sim)
    sim.clock.ahead = 899
    assert call(sim, "GET", "/account", X_Appwrite_JWT=token).status == 200
    sim.clock.ahead = 901
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), 401, "user_jwt_invalid")


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "a.b.é"])
def test_what_is_no_jwt_is_refused(sim, token):
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token.encode().decode("latin-1")), 401, "user_jwt_invalid")


def test_a_jwt_makes_no_jwt_and_goes_with_no_session(sim):
    token, cookie = jwt_of(sim), sign_in(sim)
    refused(call(sim, "POST", "/account/jwts", {}, X_Appwrite_JWT=token), 403, "user_jwt_creation_denied")
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token, Cookie=cookie), 403, "user_jwt_and_cookie_set")


def test_a_jwt_dies_with_its_session(sim):
    cookie = sign_in(sim)
    token = call(sim, "POST", "/account/jwts", {}, Cookie=cookie).body["jwt"]
    gone = call(sim, "DELETE", "/account/sessions/current", Cookie=cookie)
    assert "json" not in gone.headers["Content-Type"]  # the SDK would try to read it
    assert (gone.status, "Max-Age=0" in gone.headers["Set-Cookie"]) == (204, True)
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), 401, "general_unauthorized_scope")
    refused(call(sim, "GET", "/account", Cookie=cookie), 401, "general_unauthorized_scope")


def test_another_project_and_none_are_told_apart(sim):
    refused(call(sim, "GET", "/account", project="other"), 404, "project_not_found")
    refused(call(sim, "GET", "/account", project=None), 401, "general_unauthorized_scope")
    refused(call(sim, "GET", "/teams"), 404, "general_route_not_found")


def test_people_are_blocked_unverified_and_signed_out_at_run_time(sim):
    token = jwt_of(sim)
    sim.call("POST", "/_control/appwrite/users", {"email": "ada@example.com", "verified": False})
    assert call(sim, "GET", "/account", X_Appwrite_JWT=token).body["emailVerification"] is False
    sim.call("POST", "/_control/appwrite/users", {"email": "ada@example.com", "blocked": True})
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), 403, "user_blocked")
    refused(call(sim, "POST", "/account/sessions/email", ADA), 403, "user_blocked")
    sim.call("POST", "/_control/appwrite/users", {"email": "ada@example.com", "blocked": False, "password_reset": True})
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), 412, "user_password_reset_required")
    sim.call("POST", "/_control/appwrite/sign-out", {"email": "ada@example.com"})
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), 401, "general_unauthorized_scope")
    sim.call("POST", "/_control/reset", {})
    shown = {each["email"]: each for each in sim.call("GET", "/_control/appwrite/users").body}
    assert shown.keys() == {"ada@example.com", "grace@example.com"}
    assert shown["ada@example.com"]["verified"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("users", {}),
        ("users", {"email": "new@example.com"}),
        ("users", {"email": "ada@example.com", "blocked": "yes"}),
        ("sign-out", {"email": "who@example.com"}),
    ],
)
def test_a_control_that_is_not_understood_says_why(sim, path, body):
    answer = sim.call("POST", f"/_control/appwrite/{path}", body)
    assert answer.status == 400
    assert answer.body["error"]


@pytest.mark.parametrize(
    ("word", "status", "kind"),
    [
        ("500", 500, "general_unknown"),
        ("throttle", 429, "general_rate_limit_exceeded"),
        ("reject", 403, "user_blocked"),
        ("config", 404, "project_not_found"),
        ("error:user_more_factors_required", 401, "user_more_factors_required"),
    ],
)
def test_who_asks_for_an_account_meets_scripted_faults(sim, word, status, kind):
    token = jwt_of(sim)
    sim.script("*", word, channel="appwrite")
    refused(call(sim, "GET", "/account", X_Appwrite_JWT=token), status, kind)


def test_an_account_may_never_answer(sim):
    token = jwt_of(sim)
    sim.script("ada@example.com", "hangx1", channel="appwrite")
    with pytest.raises(TimeoutError):
        call(sim, "GET", "/account", X_Appwrite_JWT=token, timeout=0.2)
    assert call(sim, "GET", "/account", X_Appwrite_JWT=token).status == 200


def test_an_address_is_tried_ten_times_an_hour():
    client = client_of(Limits(enforced=True))
    with client.server:
        wrong = ADA | {"password": "wrong-password"}
        tried = [call(client, "POST", "/account/sessions/email", wrong) for _ in range(11)]
        assert [each.status for each in tried] == [401] * 10 + [429]
        told = tried[-1].headers
        assert (told["X-RateLimit-Limit"], told["X-RateLimit-Remaining"]) == ("10", "0")
        assert int(told["X-RateLimit-Reset"]) > client.clock()
        assert told["Retry-After"] is None
        client.clock.ahead = 3601
        assert call(client, "POST", "/account/sessions/email", ADA).status == 201
        assert call(client, "POST", "/account/sessions/email", ADA).headers["X-RateLimit-Remaining"] == "9"


def test_a_browser_page_of_this_machine_may_call_with_what_the_sdk_sends(sim):
    asked = "x-appwrite-project,x-appwrite-response-format,x-sdk-name,x-sdk-version,x-fallback-cookies,content-type"
    answer = sim.call(
        "OPTIONS",
        f"{V1}/account/sessions/email",
        Origin=ORIGIN,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=asked,
    )
    allowed = {each.strip().lower() for each in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert set(asked.split(",")) <= allowed
    refusal = call(sim, "GET", "/account", Origin=ORIGIN)
    assert (refusal.status, refusal.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    assert "X-Fallback-Cookies" in refusal.headers["Access-Control-Expose-Headers"]


def test_a_page_from_elsewhere_is_told_nothing(sim):
    answer = call(sim, "GET", "/account", Origin="https://evil.example")
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_an_oauth_sign_in_comes_back_with_a_session(sim):
    query = f"?project=nofy-local&success={ORIGIN}/in?a=1&failure={ORIGIN}/out"
    answer = sim.call("GET", f"{V1}/account/sessions/oauth2/nofy{query}")
    assert (answer.status, answer.headers["Location"]) == (301, f"{ORIGIN}/in?a=1")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert call(sim, "GET", "/account", Cookie=cookie).body["email"] == "ada@example.com"
    nobody = sim.call("GET", f"{V1}/account/sessions/oauth2/nofy{query}&user=who@example.com")
    assert nobody.headers["Location"].startswith(f"{ORIGIN}/out?error=")
    other = sim.call("GET", f"{V1}/account/sessions/oauth2/github{query}")
    refused(other, 412, "project_provider_disabled")
    evil = sim.call("GET", f"{V1}/account/sessions/oauth2/nofy?project=nofy-local&success=https://evil.example/")
    refused(evil, 400, "general_argument_invalid")
