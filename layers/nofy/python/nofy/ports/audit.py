"""Who did what, written down where nobody can change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry


class Audit(Protocol):
    """A project's log, for what was done elsewhere than in the entry's own transaction."""

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        """Raises StoreUnavailableError."""
