"""The operator's part of the store: projects, their limits, who belongs to them, tokens, integrations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.audit import entry_parameters, noted
from nofy.adapters.postgres.database import Database, RefusedByDatabaseError, statement
from nofy.adapters.postgres.reading import AS_PROJECT
from nofy.domain.errors import NotFoundError
from nofy.domain.permissions import Role, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.domain.accounts import AuditEntry
    from nofy.domain.routing import Channel, Provider
    from nofy.domain.tokens import Mode

_FOREIGN_KEY = "23503"


class PostgresAdministration:
    """What an operator's command may do. Each method is one trip, and stores the ``entry`` in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_project(self, project_id: UUID, name: str, entry: AuditEntry | None = None) -> None:
        self._run("create_project", project_id, entry, name=name)

    def set_limits(
        self,
        project_id: UUID,
        entry: AuditEntry,
        *,
        requests_per_second: float | None,
        burst: int | None,
        notifications_per_day: int | None,
        weight: int | None = None,
    ) -> None:
        """How much the project may ask for, and its share beside others; None is what every project has."""
        limits = {
            "requests_per_second": requests_per_second,
            "burst": burst,
            "notifications_per_day": notifications_per_day,
            "weight": weight,
        }
        known = {"project_id": project_id} | entry_parameters(entry)
        if not self._database.run(AS_PROJECT + noted("set_limits"), known | limits):
            raise NotFoundError("there is no such project")

    def join(self, project_id: UUID, user_id: UUID, role: Role, entry: AuditEntry) -> None:
        """Make somebody who has signed in before a member, or give a member another role."""
        self._run("join", project_id, entry, user_id=user_id, role=role)

    def create_key(
        self,
        key_id: UUID,
        project_id: UUID,
        mode: Mode,
        token_hash: bytes,
        hint: str,
        name: str = "made by an operator",
        scopes: Sequence[Scope] = tuple(Scope),
        entry: AuditEntry | None = None,
    ) -> None:
        known = {"id": key_id, "mode": mode, "token_hash": token_hash, "hint": hint}
        self._run("create_key", project_id, entry, **known, name=name, scopes=list(scopes))

    def default_integration(self, project_id: UUID, channel: Channel) -> UUID | None:
        rows = self._run("default_integration", project_id, channel=channel)
        return rows[0][0] if rows else None

    def set_integration(
        self,
        integration_id: UUID,
        project_id: UUID,
        channel: Channel,
        provider: Provider,
        settings: dict[str, Any],
        credential: bytes,
        name: str = "",
        hint: str = "",
        entry: AuditEntry | None = None,
    ) -> int:
        """Make the project's default integration of a channel, or give it another credential; returns its version."""
        rows = self._run(
            "set_integration",
            project_id,
            entry,
            id=integration_id,
            channel=channel,
            provider=provider,
            settings=json.dumps(settings),
            credential=credential,
            name=name,
            hint=hint,
        )
        return int(rows[0][0])

    def _run(
        self, query: str, project_id: UUID, entry: AuditEntry | None = None, /, **parameters: Any
    ) -> list[tuple[Any, ...]]:
        text = AS_PROJECT + (noted("note") + ";" if entry else "") + statement(query)
        known = {"project_id": project_id} | (entry_parameters(entry) if entry else {})
        try:
            return self._database.run(text, known | parameters)
        except RefusedByDatabaseError as error:
            if error.code == _FOREIGN_KEY:
                raise NotFoundError("there is no such project, or nobody who ever signed in as this person") from error
            raise
