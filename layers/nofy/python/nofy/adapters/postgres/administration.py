"""The operator's part of the store: projects, tokens, integrations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nofy.adapters.postgres.database import Database, RefusedByDatabaseError, statement
from nofy.domain.errors import NotFoundError

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.routing import Channel, Provider
    from nofy.domain.tokens import Mode

_FOREIGN_KEY = "23503"


class PostgresAdministration:
    """What an operator's command may do. Each method is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_project(self, project_id: UUID, name: str) -> None:
        self._run("create_project", id=project_id, name=name)

    def create_key(self, key_id: UUID, project_id: UUID, mode: Mode, token_hash: bytes, hint: str) -> None:
        self._run("create_key", id=key_id, project_id=project_id, mode=mode, token_hash=token_hash, hint=hint)

    def default_integration(self, project_id: UUID, channel: Channel) -> UUID | None:
        rows = self._run("default_integration", project_id=project_id, channel=channel)
        return rows[0][0] if rows else None

    def set_integration(
        self,
        integration_id: UUID,
        project_id: UUID,
        channel: Channel,
        provider: Provider,
        settings: dict[str, Any],
        credential: bytes,
    ) -> int:
        """Make the project's default integration of a channel, or give it another credential; returns its version."""
        rows = self._run(
            "set_integration",
            id=integration_id,
            project_id=project_id,
            channel=channel,
            provider=provider,
            settings=json.dumps(settings),
            credential=credential,
        )
        return int(rows[0][0])

    def _run(self, query: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return self._database.run(statement(query), parameters)
        except RefusedByDatabaseError as error:
            if error.code == _FOREIGN_KEY:
                raise NotFoundError("there is no such project") from error
            raise
