"""What every change has in common: somebody did it at some time, and whoever cached what it changed is to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nofy.domain.accounts import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from nofy.domain.accounts import Actor

# Tells everybody that what was cached about a project is stale. Called after the commit, and never raises.
Announce = Callable[[UUID], None]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who does something, when, and in which request: what an entry of the audit log begins with."""

    actor: Actor
    request_id: str
    now: datetime
    new_id: Callable[[], UUID]

    def entry(self, action: str, target: str, **details: Any) -> AuditEntry:
        """``target`` as the API writes it. No secret and nobody's address belongs into the details."""
        return AuditEntry(self.new_id(), self.now, self.actor, action, target, details, self.request_id)
