"""Who calls, by the bearer token: junk costs no query."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from nofy.domain import tokens
from nofy.domain.errors import UnauthenticatedError
from nofy.domain.tokens import Mode
from nofy.runtime.api.authentication import authenticate
from tests.unit.domain.examples import principal

if TYPE_CHECKING:
    from nofy.domain.notification import Principal

TOKEN = tokens.generate(Mode.LIVE, random.Random(1).choice)
HOLDER = principal()


class Store:
    """Knows one token by its hash, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def principal(self, token_hash: bytes) -> Principal | None:
        self.asked.append(token_hash)
        return HOLDER if token_hash == tokens.digest(TOKEN) else None


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_a_tokens_holder_is_found_by_its_hash(header: str):
    store = Store()
    assert authenticate(header, store) is HOLDER
    assert store.asked == [tokens.digest(TOKEN)]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}x", "Bearer nofy_live_junk"]
)
def test_junk_is_refused_without_asking_the_database(header: str | None):
    store = Store()
    with pytest.raises(UnauthenticatedError):
        authenticate(header, store)
    assert not store.asked


def test_a_well_formed_token_that_nobody_holds_is_refused():
    store = Store()
    with pytest.raises(UnauthenticatedError):
        authenticate(f"Bearer {tokens.generate(Mode.TEST, random.Random(2).choice)}", store)
    assert len(store.asked) == 1
