"""What the services that know vulnerabilities answer, and that their silence is neither a yes nor a no."""

from __future__ import annotations

from typing import Any

import pytest

from local import advisories
from local.advisories import Verdict, npm_findings, pip_findings

SOUND = {"name": "redis", "version": "8.0", "vulns": []}
HOLED = {"name": "urllib3", "version": "1.0", "vulns": [{"id": "PYSEC-1"}, {"id": "CVE-2"}]}
UNKNOWN = {"name": "redis", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"dependencies": [SOUND]}, ()),
        ({"dependencies": [SOUND, HOLED]}, ("urllib3 1.0: PYSEC-1 CVE-2",)),
        ({"dependencies": [SOUND, UNKNOWN]}, None),
        ({"dependencies": []}, None),
        (None, None),
    ],
)
def test_what_pip_audit_told(told: Any, found: tuple[str, ...] | None):
    assert pip_findings(told) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"vulnerabilities": {}}, ()),
        ({"vulnerabilities": {"vite": {"severity": "high"}}}, ("vite (high)",)),
        ({"error": {"summary": "no such endpoint"}}, None),
        ({"message": "405"}, None),
        (None, None),
    ],
)
def test_what_npm_told(told: Any, found: tuple[str, ...] | None):
    assert npm_findings(told) == found


@pytest.mark.parametrize(("found", "code", "line"), [(None, 0, "left out"), ((), 0, "no known"), (("x",), 1, "x: ")])
def test_only_a_vulnerability_that_somebody_knows_of_fails(monkeypatch, capsys, found: Any, code: int, line: str):
    for ask in ("of_python", "of_node"):
        monkeypatch.setattr(advisories, ask, lambda asked: Verdict(asked, found))
    assert advisories.main() == code
    assert all(each.strip().startswith(line) for each in capsys.readouterr().out.splitlines())


def test_a_program_that_is_not_there_or_says_nothing_tells_nothing():
    assert advisories._told(["/nowhere/pip-audit"]) is None
    assert advisories._told(["true"]) is None
