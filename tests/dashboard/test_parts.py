"""The dashboard's own tests, and what it is made of: types from the API's document, and no more than a page needs."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from local.artefacts import DASHBOARD, DASHBOARD_SOURCE
from nofy.runtime.api.openapi import document

# What somebody waits for who signs in, or opens the list, for the first time.
FIRST_LOAD = 250 * 1024


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=DASHBOARD_SOURCE, capture_output=True, text=True, check=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert done.returncode == 0, said[-6000:]


def test_its_components_do_what_their_tests_say():
    run("node_modules/.bin/vitest", "run")


def test_its_types_are_the_apis_own(tmp_path: Path):
    kept = json.loads((DASHBOARD_SOURCE / "openapi.json").read_text())
    assert kept == json.loads(json.dumps(document())), "npm run types, after writing openapi.json anew"
    made = tmp_path / "schema.d.ts"
    options = ("--alphabetize", "--default-non-nullable=false")
    run("node_modules/.bin/openapi-typescript", "openapi.json", "--output", str(made), *options)
    assert made.read_text() == (DASHBOARD_SOURCE / "src" / "api" / "schema.d.ts").read_text()


@pytest.mark.parametrize("page", ["SignInPage", "NotificationsPage"])
def test_the_first_load_is_small(page: str):
    """The page's own chunk with everything that it and the entry import before anything is shown."""
    wanted = {_chunk("index"), _chunk(page)}
    unread = set(wanted)
    while unread:
        text = unread.pop().read_text()
        found = {DASHBOARD / "assets" / each for each in re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', text)}
        unread |= found - wanted
        wanted |= found
    styles = [each for each in (DASHBOARD / "assets").glob("*.css") if each.name.startswith(("index", page))]
    size = sum(len(gzip.compress(each.read_bytes())) for each in [*wanted, *styles])
    assert size <= FIRST_LOAD, f"{size / 1024:.0f} KB"


def _chunk(name: str) -> Path:
    (found,) = (DASHBOARD / "assets").glob(f"{name}-*.js")
    return found
