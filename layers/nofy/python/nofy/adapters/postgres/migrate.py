"""Ordered migrations, each applied once in a transaction of its own, by one migrator at a time."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from nofy.adapters.postgres.database import Database, RefusedByDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNDEFINED_TABLE = "42P01"
# Any number that nothing else locks on; a second migrator waits for the first and then finds nothing to do.
_LOCK = 0x4E6F6679


def migrations() -> Iterator[tuple[str, str]]:
    """Every migration's name and text, in order."""
    folder = files(__package__).joinpath("migrations")
    for name in sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql")):
        yield name, folder.joinpath(name).read_text()


def migrate(database: Database) -> list[str]:
    """Apply what is missing; returns the names of what was applied."""
    database.run("SET timezone = 'UTC'")  # weeks begin there; the owner's role may be set to anything
    done = _applied(database)
    missing = [(name, text) for name, text in migrations() if name not in done]
    return [name for name, text in missing if _apply(database, name, text)]


def _applied(database: Database) -> set[str]:
    try:
        return {row[0] for row in database.run("SELECT name FROM schema_migrations")}
    except RefusedByDatabaseError as error:
        if error.code != _UNDEFINED_TABLE:
            raise
        database.run(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        return set()


def _apply(database: Database, name: str, text: str) -> bool:
    """One migration and its mark in one implicit transaction; False if another migrator was quicker."""
    # Percent signs are psycopg2's only when parameters are given, so the name is passed as a setting.
    database.run("SELECT set_config('nofy.migration', %(name)s, false)", {"name": name})
    mark = "INSERT INTO schema_migrations (name) VALUES (current_setting('nofy.migration'));"
    try:
        database.run(f"SELECT pg_advisory_xact_lock({_LOCK}); {mark}\n{text}")
    except RefusedByDatabaseError as error:
        if error.code == "23505" and "schema_migrations" in str(error):
            return False
        raise
    return True
