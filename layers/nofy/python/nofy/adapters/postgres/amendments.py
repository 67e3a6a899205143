"""What a person changes about deliveries under way. Each method is one statement, in the caller's project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, statement
from nofy.adapters.postgres.reading import AS_PROJECT, filter_parameters, filtered
from nofy.adapters.postgres.values import entries
from nofy.domain.notification import DEFAULT_LIFETIME
from nofy.domain.tokens import Mode
from nofy.ports.reading import DeadLetterFilter
from nofy.ports.store import Discarded, Redriven

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nofy.domain.edit import Edit
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

    def redrive(self, principal: Principal, dead_letter_id: UUID, edit: Edit | None = None) -> list[Entry]:
        one = DeadLetterFilter(ids=(dead_letter_id,))
        changes: dict[str, Any] = {}
        if edit:
            changes = {"destination": edit.destination, "content": edit.content and json.dumps(edit.content)}
        return self._redrive(principal, one, limit=1, apart=0.0, skip_expired=False, **changes).entries

    def redrive_many(
        self, principal: Principal, wanted: DeadLetterFilter, limit: int, per_second: float, *, skip_expired: bool
    ) -> Redriven:
        return self._redrive(principal, wanted, limit=limit, apart=1 / per_second, skip_expired=skip_expired)

    def _redrive(self, principal: Principal, wanted: DeadLetterFilter, **parameters: Any) -> Redriven:
        unedited = {"destination": None, "content": None, "lifetime": DEFAULT_LIFETIME}
        text = AS_PROJECT + filtered("redrive")
        rows = self._database.run(text, filter_parameters(principal, wanted) | unedited | parameters)
        redriven = entries([row[1:] for row in rows if row[1] is not None])
        return Redriven(redriven, rows[0][0] - len(redriven))

    def discard(self, principal: Principal, wanted: DeadLetterFilter, limit: int, reason: str) -> Discarded:
        parameters = filter_parameters(principal, wanted) | {"limit": limit, "reason": reason}
        discarded, matching = self._database.run(AS_PROJECT + filtered("discard"), parameters)[0]
        return Discarded(discarded, matching - discarded)

    def _run(self, principal: Principal, query: str, **parameters: Any) -> list[Entry]:
        caller = {"project_id": principal.project_id, "live": principal.mode is Mode.LIVE}
        return entries(self._database.run(AS_PROJECT + statement(query), caller | parameters))
