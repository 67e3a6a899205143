"""Console tokens: what is signed is believed, until it expires, and nothing else is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from nofy.adapters.jose.signing import generate, public_half, sign
from nofy.adapters.jose.verifying import ConsoleTokens
from nofy.domain.accounts import Identity
from nofy.domain.errors import IdentityUnavailableError, TokenExpiredError, UnauthenticatedError
from nofy.domain.signing_keys import SigningKey
from tests.fakes.clock import NOON, ManualClock
from tests.unit.jose.forgeries import NOT_TOKENS, altered, signed_with_public_key, unsigned
from tests.unit.jose.keys import ec_pair, rsa_pair

ISSUER = "nofy-test"
ADA = Identity("appwrite:https://example.com/v1/nofy", "user_01", "ada@example.com", email_verified=True, name="Ada Ω")
KEY = generate(NOON, NOON)
OTHER = generate(NOON, NOON)
JTI = UUID(int=7)


class Published:
    """The published keys, and how often they were read."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.reads = 0
        self.gone = False

    def __call__(self) -> list[dict[str, Any]]:
        self.reads += 1
        if self.gone:
            raise IdentityUnavailableError("gone")
        return self.keys


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def published() -> Published:
    return Published(public_half(KEY))


@pytest.fixture
def tokens(published: Published, clock: ManualClock) -> ConsoleTokens:
    return ConsoleTokens(published, ISSUER, clock)


def token(key: SigningKey = KEY, issuer: str = ISSUER) -> str:
    return sign(ADA, key, issuer, NOON, JTI).token


def claims() -> dict[str, Any]:
    return dict(jwt.decode(token(), options={"verify_signature": False}))


def test_what_was_signed_is_who_it_was_signed_for(tokens: ConsoleTokens):
    assert tokens.verify(token()) == ADA


def test_a_token_says_who_it_is_for_where_it_is_good_and_until_when():
    issued = sign(ADA, KEY, ISSUER, NOON + timedelta(microseconds=1), JTI)
    assert issued.expires_at == NOON + timedelta(minutes=15)
    assert jwt.get_unverified_header(issued.token) == {"alg": "ES256", "typ": "JWT", "kid": KEY.kid}
    said = jwt.decode(issued.token, options={"verify_signature": False})
    assert said == {
        "iss": ISSUER,
        "aud": "nofy-console",
        "sub": str(ADA.user_id),
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 900,
        "jti": str(JTI),
        "idp": ADA.issuer,
        "ext": "user_01",
        "email": "ada@example.com",
        "email_verified": True,
        "name": "Ada Ω",
    }


def test_the_longest_name_makes_no_header_that_is_refused():
    longest = Identity("appwrite:" + "i" * 200, "s" * 255, "e" * 254, email_verified=True, name="👋" * 5_000)
    assert len(sign(longest, KEY, ISSUER, NOON, JTI).token) < 4_096


def test_what_is_published_of_a_key_is_not_its_secret():
    assert public_half(KEY).keys() == {"kid", "kty", "crv", "x", "y", "alg", "use"}
    assert json.dumps(public_half(KEY)) == json.dumps(public_half(KEY))
    assert KEY.kid != OTHER.kid


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (899, True), (909, True), (910, False), (90_000, False)])
def test_it_is_good_for_a_quarter_of_an_hour_and_then_says_that_it_was(tokens, clock, seconds: int, good: bool):
    clock.advance(seconds)
    if good:
        assert tokens.verify(token()) == ADA
    else:
        with pytest.raises(TokenExpiredError):
            tokens.verify(token())


def test_a_token_of_the_future_is_refused(tokens: ConsoleTokens, clock: ManualClock):
    clock.advance(-11)
    with pytest.raises(UnauthenticatedError):
        tokens.verify(token())


def _signed(**changes: Any) -> str:
    changed = {name: value for name, value in (claims() | changes).items() if value is not None}
    return jwt.encode(changed, KEY.private_pem, algorithm="ES256", headers={"kid": KEY.kid})


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda: unsigned(claims(), kid=KEY.kid), id="alg none"),
        pytest.param(lambda: unsigned(claims(), "None", kid=KEY.kid), id="alg None"),
        pytest.param(lambda: signed_with_public_key(claims(), ec_pair().public_pem, KEY.kid), id="HS256"),
        pytest.param(lambda: token(OTHER), id="another key"),
        pytest.param(lambda: token(SigningKey(KEY.kid, NOON, NOON, OTHER.private_pem)), id="another key of its name"),
        pytest.param(lambda: rsa_pair().sign(claims(), kid=KEY.kid), id="RS256"),
        pytest.param(lambda: token(issuer="nofy-live"), id="another stage's"),
        pytest.param(lambda: altered(token(), sub=str(UUID(int=1))), id="altered"),
        pytest.param(lambda: token()[:-4] + "AAAA", id="another signature"),
        pytest.param(lambda: _signed(aud="nofy"), id="another audience"),
        pytest.param(lambda: _signed(aud=None), id="no audience"),
        pytest.param(lambda: _signed(exp=None), id="no end"),
        pytest.param(lambda: _signed(exp="tomorrow"), id="an end that is no number"),
        pytest.param(lambda: _signed(exp=True), id="an end that is true"),
        pytest.param(lambda: _signed(exp=float("inf")), id="no end ever"),
        pytest.param(lambda: _signed(iat=None), id="no beginning"),
        pytest.param(lambda: _signed(nbf=int(NOON.timestamp()) + 11), id="not yet"),
        pytest.param(lambda: _signed(ext="user_02"), id="sub and ext are two people"),
        pytest.param(lambda: _signed(ext=None), id="no ext"),
        pytest.param(lambda: _signed(name=7), id="a name that is a number"),
        *[pytest.param(lambda text=text: text, id=f"{text[:12]!r}") for text in NOT_TOKENS],
    ],
)
def test_a_forgery_is_refused(tokens: ConsoleTokens, forged: Any):
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.verify(forged())
    assert not isinstance(refused.value, TokenExpiredError)


def test_a_forged_token_that_has_expired_too_is_not_called_expired(tokens: ConsoleTokens, clock: ManualClock):
    clock.advance(10_000)
    with pytest.raises(UnauthenticatedError) as refused:
        tokens.verify(token(SigningKey(KEY.kid, NOON, NOON, OTHER.private_pem)))
    assert not isinstance(refused.value, TokenExpiredError)


def test_the_keys_are_read_once_in_five_minutes(tokens: ConsoleTokens, published: Published, clock: ManualClock):
    for _ in range(5):
        tokens.verify(token())
        clock.advance(59.9)
    assert published.reads == 1
    clock.advance(0.5)
    tokens.verify(token())
    assert published.reads == 2


def test_an_unknown_key_is_looked_for_once_in_half_a_minute(tokens, published: Published, clock: ManualClock):
    tokens.verify(token())
    clock.advance(30)
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            tokens.verify(token(OTHER))
    assert published.reads == 2
    published.keys.append(public_half(OTHER))
    clock.advance(30)
    assert tokens.verify(token(OTHER)) == ADA
    assert published.reads == 3


def test_a_key_that_is_published_no_more_is_believed_no_more(tokens, published: Published, clock: ManualClock):
    tokens.verify(token())
    published.keys = [public_half(OTHER)]
    clock.advance(300)
    with pytest.raises(UnauthenticatedError):
        tokens.verify(token())


def test_while_the_keys_cannot_be_read_the_known_ones_are_believed_for_an_hour(
    published: Published, clock: ManualClock
):
    tokens = ConsoleTokens(published, ISSUER, clock)
    published.keys = [public_half(KEY)]
    tokens.verify(token())
    published.gone = True
    clock.advance(400)
    assert tokens.verify(token()) == ADA
    with pytest.raises(IdentityUnavailableError):
        tokens.verify(token(OTHER))
    assert published.reads == 2
    clock.advance(3_200)
    with pytest.raises(IdentityUnavailableError):
        tokens.verify(token())


def test_without_any_keys_it_is_nobodys_fault_but_ours(published: Published, tokens: ConsoleTokens):
    published.gone = True
    with pytest.raises(IdentityUnavailableError):
        tokens.verify(token())


def test_keys_of_other_kinds_beside_ours_are_not_looked_at(published: Published, tokens: ConsoleTokens):
    published.keys[:0] = [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-521", "kid": "large"},
        {**ec_pair().jwk, "use": "enc"},
        {**ec_pair().jwk, "kid": 7},
        {"kty": "EC", "crv": "P-256", "kid": "broken", "x": "!", "y": "!"},
        "nonsense",  # type: ignore[list-item]
    ]
    assert tokens.verify(token()) == ADA
