"""API tokens: junk is refused by its checksum, and only a hash is stored."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.tokens import Mode, digest, generate, hint, well_formed

TOKEN = generate(Mode.LIVE, random.Random(7).choice)


@pytest.mark.parametrize("mode", Mode)
def test_a_token_names_its_mode_and_is_30_characters_of_secret_and_6_of_checksum(mode: Mode):
    token = generate(mode, secrets.choice)
    assert re.fullmatch(rf"nofy_{mode}_[0-9A-Za-z]{{36}}", token)
    assert well_formed(token)


def test_two_tokens_differ():
    assert generate(Mode.LIVE, secrets.choice) != generate(Mode.LIVE, secrets.choice)


def test_any_one_character_changed_is_noticed():
    alphabet = string.ascii_letters + string.digits + "_-"
    for position in range(len(TOKEN)):
        for other in alphabet.replace(TOKEN[position], ""):
            assert not well_formed(TOKEN[:position] + other + TOKEN[position + 1 :])


@given(st.integers(0, len(TOKEN) - 2))
def test_two_neighbours_swapped_are_noticed(position: int):
    pair = TOKEN[position : position + 2]
    swapped = TOKEN[:position] + pair[::-1] + TOKEN[position + 2 :]
    assert well_formed(swapped) == (pair == pair[::-1])


@pytest.mark.parametrize("junk", ["", "nofy_live_", TOKEN[:-1], TOKEN + "0", TOKEN + "\n", " " + TOKEN, TOKEN.upper()])
def test_what_has_not_the_shape_is_no_token(junk: str):
    assert not well_formed(junk)


@given(st.text(max_size=60))
def test_no_text_makes_the_check_fail(text: str):
    assert not well_formed(text)


def test_a_live_token_cannot_be_made_of_a_test_token():
    assert not well_formed(generate(Mode.TEST, secrets.choice).replace("test", "live"))


def test_what_is_stored_is_the_sha_256():
    assert digest(TOKEN) == hashlib.sha256(TOKEN.encode()).digest()


def test_the_hint_shows_a_token_apart_and_gives_nothing_away():
    shown = hint(TOKEN)
    assert TOKEN.startswith(shown[:14])
    assert TOKEN.endswith(shown[-4:])
    assert len(shown) < len(TOKEN) / 2
