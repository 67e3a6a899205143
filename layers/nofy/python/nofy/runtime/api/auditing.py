"""What people do to deliveries under way, for the project's audit log.

What a server does through its token by the thousand is told by each notification's timeline; only what it does to many
at once stands in the log as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import ActorKind, AuditEntry
from nofy.domain.errors import StoreUnavailableError
from nofy.runtime.api.application import request_id
from nofy.runtime.observability import logger, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.domain.notification import Principal
    from nofy.ports.audit import Audit
    from nofy.ports.clock import Clock
    from nofy.runtime.api.application import Application

# Alarmed: the entry stands in the function's log instead.
UNWRITTEN = "audit_unwritten"


class Auditing:
    """One function's log."""

    def __init__(self, audit: Audit, clock: Clock, new_id: Callable[[], UUID]) -> None:
        self._audit = audit
        self._clock = clock
        self._new_id = new_id

    def one(self, app: Application, principal: Principal, action: str, target: str, **details: Any) -> None:
        """Something was done to one thing."""
        if principal.actor.kind is ActorKind.USER:
            self.many(app, principal, action, target, **details)

    def many(self, app: Application, principal: Principal, action: str, target: str, **details: Any) -> None:
        """Something was done to many things at once.

        It is done by now: a database that goes away between the two does not make it undone, so that is logged, not
        answered.
        """
        details |= {"mode": principal.mode}
        moment, asked = self._clock(), request_id(app)
        entry = AuditEntry(self._new_id(), moment, principal.actor, action, target, details, asked)
        try:
            self._audit.note(principal.project_id, entry)
        except StoreUnavailableError:
            told = {"action": action, "target": target, "details": details, "actor": str(principal.actor.actor_id)}
            logger.exception("not in the audit log", extra={"project": str(principal.project_id), **told})
            measure(UNWRITTEN, [1], function="producer")
