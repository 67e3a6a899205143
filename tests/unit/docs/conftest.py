"""The pages of this repository that people read."""

from __future__ import annotations

from infra.settings import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "local" / "README.md"])
