"""What a person changes about deliveries under way. Each method is one statement, in the caller's project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.reading import AS_PROJECT
from nofy.adapters.postgres.values import entries
from nofy.domain.notification import DEFAULT_LIFETIME
from nofy.domain.tokens import Mode

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.notification import Principal
    from nofy.ports.schedule import Entry


class PostgresAmendments:
    """Implements :class:`nofy.ports.store.Amendments`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cancel(self, principal: Principal, notification_id: UUID) -> list[Entry]:
        return self._run(principal, "cancel", notification_id=notification_id)

    def move(self, principal: Principal, notification_id: UUID, send_at: datetime, expires_at: datetime) -> list[Entry]:
        times = {"send_at": send_at, "expires_at": expires_at}
        return self._run(principal, "move", notification_id=notification_id, **times)

    def redrive(self, principal: Principal, dead_letter_id: UUID) -> list[Entry]:
        return self._run(principal, "redrive", dead_letter_id=dead_letter_id, lifetime=DEFAULT_LIFETIME)

    def _run(self, principal: Principal, query: str, **parameters: Any) -> list[Entry]:
        caller = {"project_id": principal.project_id, "live": principal.mode is Mode.LIVE}
        return entries(self._database.run(AS_PROJECT + statement(query), caller | parameters))
