"""The audit log's entries: stored by the statement that makes a change, in its transaction, or by themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import statement
from nofy.domain.accounts import Actor, ActorKind, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.adapters.postgres.database import Database


class PostgresAudit:
    """Implements :class:`nofy.ports.audit.Audit`, for what was done elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, project_id: UUID, entry: AuditEntry) -> None:
        as_project = "SELECT set_config('nofy.project_id', %(project_id)s::text, true);"
        text = as_project + noted("note")
        self._database.run(text, entry_parameters(entry) | {"project_id": project_id})


def noted(query: str) -> str:
    """A statement together with its entry in the audit log."""
    return statement(query).replace("/* noted */", statement("noted"))


def entry_parameters(entry: AuditEntry) -> dict[str, Any]:
    """What ``noted.sql`` takes."""
    return {
        "entry_id": entry.entry_id,
        "at": entry.at,
        "actor_kind": entry.actor.kind,
        "actor_id": entry.actor.actor_id,
        "actor_name": entry.actor.name,
        "action": entry.action,
        "target": entry.target,
        "details": json.dumps(entry.details),
        "entry_request_id": entry.request_id,
    }


def entry_of(row: Sequence[Any]) -> AuditEntry:
    identifier, at, kind, actor_id, name, *rest = row
    return AuditEntry(identifier, at, Actor(ActorKind(kind), actor_id, name), *rest)
