"""How much of each thing there may be: far more than anybody needs, so that nobody fills the tables for others.

Counted before the statement that adds one: two at once may end one above, which is harmless.
"""

from __future__ import annotations

from nofy.domain.errors import ConflictError

MOST = {"projects": 50, "invitations": 100, "tokens": 100, "integrations": 50}


def refuse_beyond(kind: str, have: int) -> None:
    """Raises ConflictError where there are as many as there may be: a person's own projects, or a project's things."""
    if have >= MOST[kind]:
        raise ConflictError(f"too_many_{kind}", f"there may be {MOST[kind]} {kind} at most; remove one first")
