"""The repository read as text and as syntax trees."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "nofy" / "python" / "nofy"
FUNCTIONS = ROOT / "functions"

# Every function's folder below functions/, as Lambda gets it.
FOLDERS = sorted(str(each.parent.relative_to(FUNCTIONS)) for each in FUNCTIONS.rglob("handler.py"))
SENDERS = [each for each in FOLDERS if each.startswith("senders/")]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.Module) -> set[str]:
    """Every module named by an import statement, wherever it stands; a relative one begins with its dots."""
    return set(_imported(tree))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def needed(tree: ast.Module) -> set[str]:
    """The same without what is there for the type checker alone; ``from a import b`` may mean the module ``a.b``."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def modules_of(*rings: str) -> list[Path]:
    """The package's modules in these rings, or all of them."""
    where = [PACKAGE / ring for ring in rings] or [PACKAGE]
    return sorted(each for folder in where for each in folder.rglob("*.py"))


def named(path: Path) -> str:
    """A module as a test's id."""
    return str(path.relative_to(PACKAGE)).removesuffix(".py")
