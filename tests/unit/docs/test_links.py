"""Nothing a page points at inside this repository is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from infra.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "local" / "README.md"])
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    return [each for each in LINK.findall(page.read_text()) if "://" not in each]


def anchors(page: Path) -> set[str]:
    """What GitHub makes of a heading: lower case, words joined by hyphens, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_there_are_links_to_look_at():
    assert sum(len(links(page)) for page in PAGES) > 50
