"""Tokens that nobody gave out, or that are no longer good: against the handlers as they are deployed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nofy.adapters.jose.signing import generate, public_half, sign
from nofy.domain import tokens
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Role
from nofy.domain.tokens import Mode
from nofy.runtime import clock
from nofy.runtime.api import strangers
from tests.attacks.conftest import ISSUER, KEY, console_token, member
from tests.unit.jose.forgeries import NOT_TOKENS, altered, signed_with_public_key, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from nofy.domain.accounts import Identity
    from tests.attacks.conftest import Api, Tenant

EVIL = generate(clock.now(), clock.now())
PUBLIC_PEM = jwt.PyJWK(public_half(KEY)).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DOORS = ("/v1/notifications", "/v1/me", "/v1/projects")


def claims(who: Identity, **changes: Any) -> dict[str, Any]:
    known = jwt.decode(console_token(who), options={"verify_signature": False})
    return {name: value for name, value in (known | changes).items() if value is not None}


def signed(who: Identity, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    named = {"kid": key.kid} | (header or {})
    return jwt.encode(claims(who, **changes), key.private_pem, algorithm="ES256", headers=named)


FORGERIES: dict[str, Callable[[Identity], str]] = {
    "alg none": lambda who: unsigned(claims(who), kid=KEY.kid),
    "alg NonE": lambda who: unsigned(claims(who), "NonE", kid=KEY.kid),
    "HS256 with the public key": lambda who: signed_with_public_key(claims(who), PUBLIC_PEM, KEY.kid),
    "another key": lambda who: signed(who, EVIL),
    "another key under our name": lambda who: signed(who, replace(EVIL, kid=KEY.kid)),
    "its key within": lambda who: signed(who, EVIL, {"jwk": public_half(EVIL), "kid": KEY.kid}),
    "its keys elsewhere": lambda who: signed(who, EVIL, {"jku": "https://evil.example/jwks.json"}),
    "its certificate elsewhere": lambda who: signed(who, EVIL, {"x5u": "https://evil.example/x.pem", "kid": KEY.kid}),
    "its certificate within": lambda who: signed(who, EVIL, {"x5c": ["MIIB"], "kid": KEY.kid}),
    "a kid that is a path": lambda who: signed(who, EVIL, {"kid": "../../../../dev/null"}),
    "a kid that is SQL": lambda who: signed(who, EVIL, {"kid": "' UNION SELECT 'x"}),
    "a kid that is an address": lambda who: signed(who, EVIL, {"kid": "https://evil.example/key"}),
    "an extension nobody knows": lambda who: signed(who, header={"crit": ["b64"], "b64": False}),
    "another audience": lambda who: signed(who, aud="nofy-api"),
    "another issuer": lambda who: signed(who, iss="nofy-live"),
    "somebody else's id": lambda who: signed(who, sub=str(UUID(int=1))),
    "somebody else's claims under our signature": lambda who: altered(console_token(who), ext="eve"),
    "no end": lambda who: signed(who, exp=None),
    "a beginning in the future": lambda who: signed(who, iat=int(clock.now().timestamp()) + 3600),
    "not yet": lambda who: signed(who, nbf=int(clock.now().timestamp()) + 3600),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_token_opens_nothing(api: Api, ours: Tenant, how: str):
    before = api.trips
    forged = FORGERIES[how](ours.owner)
    for path in DOORS:
        assert api.ask("GET", path, None, forged, ours.headers).told == (401, "unauthenticated")
    assert api.trips == before


@pytest.mark.parametrize("junk", NOT_TOKENS, ids=range(len(NOT_TOKENS)))
def test_junk_costs_nothing(api: Api, ours: Tenant, junk: str):
    before = api.trips
    for path in DOORS:
        assert api.ask("GET", path, None, junk or "x", ours.headers).status in (400, 401)
    assert api.trips == before


def test_what_is_true_is_believed(api: Api, ours: Tenant):
    """The forgeries above are refused for what they forge."""
    for path in DOORS:
        assert api.ask("GET", path, None, signed(ours.owner), ours.headers).status == 200


def test_a_token_is_replayed_until_its_end_and_no_longer(api: Api, ours: Tenant):
    old = console_token(ours.owner, clock.now() - timedelta(minutes=16))
    for path in DOORS:
        assert api.ask("GET", path, None, old, ours.headers).told == (401, "token_expired")


def test_a_token_of_somebody_who_was_sent_away_finds_nothing_from_then_on(api: Api, ours: Tenant):
    bob = member(api, ours, "bob", Role.ADMIN)
    named = ours.headers
    where = ours.path("/v1/projects/{project_id}")
    assert [api.ask("GET", each, None, bob, named).status for each in (where, "/v1/notifications")] == [200, 200]
    members = api.ask("GET", f"{where}/members", None, ours.token).json["members"]
    (his,) = [each["id"] for each in members if each["email"] == "bob@example.com"]
    assert api.ask("DELETE", f"{where}/members/{his}", None, ours.token).status == 200
    assert [api.ask("GET", each, None, bob, named).status for each in (where, "/v1/notifications")] == [404, 404]
    assert api.ask("POST", f"{where}/tokens", {}, bob).status == 404


def test_a_revoked_api_token_is_nobodys_at_once(api: Api, ours: Tenant):
    asked = {"name": "x", "mode": "live", "scopes": ["read"]}
    made = api.ask("POST", ours.path("/v1/projects/{project_id}/tokens"), asked, ours.token).json
    assert api.ask("GET", "/v1/notifications", None, made["token"]).status == 200
    api.ask("DELETE", ours.path("/v1/projects/{project_id}/tokens/") + made["id"], None, ours.token)
    assert api.ask("GET", "/v1/notifications", None, made["token"]).told == (401, "unauthenticated")


def test_another_stages_sign_in_is_not_this_ones(api: Api, ours: Tenant):
    other = sign(ours.owner, KEY, f"{ISSUER}-other", clock.now(), uuid4()).token
    assert api.ask("GET", "/v1/me", None, other).told == (401, "unauthenticated")


def guesses(seed: int) -> Any:
    """Tokens with a sound checksum: whoever has read how they are made can make them."""
    choose = random.Random(seed).choice
    while True:
        yield tokens.generate(Mode.LIVE, choose)


def test_whoever_guesses_tokens_is_stopped_before_the_database(api: Api, ours: Tenant):
    api.modules["producer"].ports.edge._strangers = strangers.Strangers(clock.now)
    tried, before = guesses(1), api.trips
    answers = [api.ask("GET", "/v1/notifications", None, next(tried)) for _ in range(strangers.MOST + 30)]
    assert {each.status for each in answers[: strangers.MOST]} == {401}
    assert {each.told for each in answers[strangers.MOST :]} == {(429, "rate_limited")}
    assert api.trips - before == strangers.MOST
    assert int(answers[-1].headers["Retry-After"]) <= strangers.WINDOW.total_seconds()


def test_whoever_was_let_in_before_is_let_in_beside_a_guesser(api: Api, ours: Tenant):
    api.modules["producer"].ports.edge._strangers = strangers.Strangers(clock.now)
    tried = guesses(2)
    assert api.ask("GET", "/v1/notifications", None, ours.api_token).status == 200
    for _ in range(strangers.MOST + 1):
        api.ask("GET", "/v1/notifications", None, next(tried))
    assert api.ask("GET", "/v1/notifications", None, ours.api_token).status == 200
    elsewhere = {"requestContext": {"identity": {"sourceIp": "192.0.2.2"}}}
    assert api.ask("GET", "/v1/notifications", None, next(tried), **elsewhere).status == 401


def test_an_invitation_is_not_guessed(api: Api, ours: Tenant):
    for guess in ("x", "nofy_inv_" + "a" * 30, encode(Prefix.INVITATION, uuid4()), ours.ids["invitation_id"]):
        assert api.ask("POST", "/v1/invitations/accept", {"token": guess}, ours.token).told == (404, "not_found")
