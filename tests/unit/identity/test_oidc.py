"""ID tokens of an OIDC issuer: real keys, a real server, and every way to be somebody one is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from nofy.adapters.identity.oidc import OidcIdentity
from nofy.domain.accounts import Identity
from nofy.domain.errors import IdentityMisconfiguredError, IdentityUnavailableError, SignInRefusedError
from tests.fakes.clock import NOON, ManualClock
from tests.unit.jose.forgeries import NOT_TOKENS, altered, signed_with_public_key, unsigned
from tests.unit.jose.keys import ec_pair, rsa_pair
from tests.unit.providers.tiny_server import SILENCE, TinyServer, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nofy.adapters.identity.fetch import Fetcher

NOW = int(NOON.timestamp())
CLIENT = "client-1"


class Issuer:
    """An issuer on this machine: its discovery document, its keys, and us asking it."""

    def __init__(self, server: TinyServer, fetcher: Fetcher) -> None:
        self.server = server
        self.clock = ManualClock()
        self.publish(rsa_pair().jwk, ec_pair().jwk)
        self.oidc = OidcIdentity(server.url, [CLIENT, "client-2"], fetcher, self.clock)

    def publish(self, *keys: dict[str, Any], **discovery: Any) -> None:
        """From the next question on."""
        found = {"issuer": self.server.url, "jwks_uri": f"{self.server.url}/keys", **discovery}
        said = [reply(200, json.dumps(found).encode()), reply(200, json.dumps({"keys": keys}).encode())]
        self.server.replies[:] = [*([b""] * len(self.server.asked)), *(said * 10)]

    def claims(self, **changes: Any) -> dict[str, Any]:
        sound = {
            "iss": self.server.url,
            "sub": "user-1",
            "aud": CLIENT,
            "iat": NOW,
            "exp": NOW + 3600,
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada",
        }
        return {name: value for name, value in (sound | changes).items() if value is not None}

    def refused(self, token: str) -> str:
        with pytest.raises(SignInRefusedError) as refused:
            self.oidc.identify(token)
        return refused.value.code


@pytest.fixture
def issuer(fetcher: Fetcher) -> Iterator[Issuer]:
    with TinyServer([]) as server:
        yield Issuer(server, fetcher)


@pytest.mark.parametrize("pair", [rsa_pair(), ec_pair()], ids=["RS256", "ES256"])
def test_the_one_it_signed_for_is_told(issuer: Issuer, pair):
    found = issuer.oidc.identify(pair.sign(issuer.claims()))
    assert found == Identity(issuer.server.url, "user-1", "ada@example.com", email_verified=True, name="Ada")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", "client-2"]},
        {"token_use": "id"},
        {"nbf": NOW + 60},
        {"iat": NOW + 60},
        {"exp": NOW - 59},
        {"exp": NOW + 0.5},
    ],
)
def test_what_differs_within_the_rules_is_believed(issuer: Issuer, changes: dict[str, Any]):
    assert issuer.oidc.identify(rsa_pair().sign(issuer.claims(**changes))).subject == "user-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "client-3"},
        {"aud": ["client-3"]},
        {"aud": []},
        {"aud": None},
        {"exp": NOW - 60},
        {"exp": None},
        {"exp": "never"},
        {"nbf": NOW + 61},
        {"iat": NOW + 61},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"token_use": "access"},
        {"token_use": 1},
    ],
)
def test_claims_that_are_not_for_us_now_are_refused(issuer: Issuer, changes: dict[str, Any]):
    assert issuer.refused(rsa_pair().sign(issuer.claims(**changes))) == "sign_in_invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": None},
        {"email": ""},
        {"email": "e" * 255},
        {"email": ["ada@example.com"]},
        {"email_verified": None},
        {"email_verified": False},
        {"email_verified": "true"},
    ],
)
def test_without_a_verified_address_nobody_gets_in(issuer: Issuer, changes: dict[str, Any]):
    assert issuer.refused(rsa_pair().sign(issuer.claims(**changes))) == "email_unverified"


def test_forgeries_are_refused(issuer: Issuer):
    claims = issuer.claims()
    stranger = rsa_pair("rsa-2")
    rs512 = jwt.encode(claims, rsa_pair().private, algorithm="RS512", headers={"kid": "rsa-1"})
    forged = [
        unsigned(claims, kid="rsa-1"),
        unsigned(claims, "NONE", kid="rsa-1"),
        signed_with_public_key(claims, rsa_pair().public_pem, "rsa-1"),
        stranger.sign(claims),
        stranger.sign(claims, kid="rsa-1"),
        ec_pair().sign(claims, kid="rsa-1"),
        rs512,
        jwt.encode(claims, rsa_pair().private, algorithm="RS256"),
        stranger.sign(claims, jwk=stranger.jwk, jku="https://evil.example/keys"),
        altered(rsa_pair().sign(claims), sub="user-2"),
        *NOT_TOKENS,
    ]
    assert [issuer.refused(each) for each in forged] == ["sign_in_invalid"] * len(forged)


def test_the_keys_are_read_once_and_for_an_unknown_kid_once_a_minute(issuer: Issuer):
    for _ in range(3):
        issuer.oidc.identify(rsa_pair().sign(issuer.claims()))
    assert [each.line.split()[1] for each in issuer.server.asked] == ["/.well-known/openid-configuration", "/keys"]
    stranger = ec_pair("ec-2")
    issuer.clock.advance(60)
    assert [issuer.refused(stranger.sign(issuer.claims())) for _ in range(3)] == ["sign_in_invalid"] * 3
    assert len(issuer.server.asked) == 4
    issuer.publish(stranger.jwk)
    issuer.clock.advance(60)
    assert issuer.oidc.identify(stranger.sign(issuer.claims())).subject == "user-1"


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://evil.example"}, {"jwks_uri": None}, {"jwks_uri": "file:///etc/passwd"}],
)
def test_a_discovery_document_that_is_not_the_issuers_is_our_mistake(issuer: Issuer, discovery: dict[str, Any]):
    issuer.publish(**discovery)
    with pytest.raises(IdentityMisconfiguredError):
        issuer.oidc.identify(rsa_pair().sign(issuer.claims()))


@pytest.mark.parametrize("said", [reply(500), reply(200, b"<html>"), reply(404), SILENCE])
def test_an_issuer_that_cannot_be_asked_is_no_yes_and_no_no(issuer: Issuer, said: bytes):
    issuer.server.replies[:] = [said]
    with pytest.raises(IdentityUnavailableError):
        issuer.oidc.identify(rsa_pair().sign(issuer.claims()))
