"""Walls between projects: every table of the schema, tried by the roles that act for one project, as another one.

The tables are read from PostgreSQL's catalogue. One that is added without a wall, or without rows to try it with, fails
here until it has them or stands among ``SHARED`` with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from nofy.adapters.postgres.database import Database, RefusedByDatabaseError
from nofy.domain.accounts import ApiToken
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.permissions import Role, Scope
from nofy.domain.tokens import Mode
from nofy.ports.store import IdempotencyClaim
from tests.contract.stores import ROLES, PostgresBackend
from tests.contract.stories import Told
from tests.contract.test_accounts import entry, invite, join, person
from tests.fakes.projects import Project

# What belongs to no project, and why it need not be walled.
SHARED = {
    "accepted_per_hour": "how many deliveries the whole installation accepted in an hour",
    "counting_progress": "one row: up to which minute what was accepted is counted",
    "index_progress": "one row: how far the index in Redis reaches",
    "schema_migrations": "the names of migrations, which none of our roles may read",
}
# The roles that act for one project at a time.
WALLED = ("nofy_api", "nofy_console")
OURS = {"projects": "id = %(project)s", "users": "id = %(user)s", "attempts": "delivery_id = %(delivery)s"}
REFUSED = "42501"


@dataclass(frozen=True)
class Tenant:
    """A project with a row in every table."""

    project: Project
    user_id: UUID
    delivery_id: UUID

    @property
    def ids(self) -> dict[str, UUID]:
        return {"project": self.project.principal.project_id, "user": self.user_id, "delivery": self.delivery_id}

    def where(self, table: str) -> str:
        return OURS.get(table, "project_id = %(project)s")


def tables(postgres: PostgresBackend) -> dict[str, tuple[bool, bool]]:
    """Every table that is no partition, and whether its wall is enabled and forced."""
    rows = postgres.superuser.run(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT relispartition"
    )
    return {name: (enabled, forced) for name, enabled, forced in rows}


def walled_tables(postgres: PostgresBackend) -> list[str]:
    return sorted(set(tables(postgres)) - set(SHARED))


def fill(postgres: PostgresBackend, name: str) -> Tenant:
    project, who = postgres.project(), person(postgres, name)
    project_id = project.principal.project_id
    join(postgres, project_id, who, Role.OWNER)
    invite(postgres, project_id, Role.VIEWER, name.encode().ljust(32))
    planned = project.plan()
    claim = IdempotencyClaim("key", b"body".ljust(32), {"id": name})
    postgres.acceptances.accept(project.principal, [planned], claim)
    told = Told(postgres, project, planned).lease()
    postgres.burials.bury([DeadLetter(Kind.DELIVERY, f"about {name}", told.id, 1)])
    postgres.superuser.run(
        "INSERT INTO retained (notification_id, project_id, since) VALUES (%(id)s, %(project)s, now())",
        {"id": planned.notification_id, "project": project_id},
    )
    postgres.superuser.run(
        "INSERT INTO delivery_counts (project_id, live, minute, channel, slot)"
        " VALUES (%(id)s, true, now(), 'slack', 0)",
        {"id": project_id},
    )
    return Tenant(project, who.user_id, told.id)


@pytest.fixture
def ours(postgres: PostgresBackend) -> Tenant:
    return fill(postgres, "ada")


@pytest.fixture
def theirs(postgres: PostgresBackend) -> Tenant:
    return fill(postgres, "eve")


@pytest.fixture(params=WALLED)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def as_them(postgres: PostgresBackend, role: str) -> Iterator[Database]:
    database = postgres.connection(role)
    yield database
    database.close()


def acting_for(tenant: Tenant, statement: str) -> str:
    """The statement, in a transaction that says who asks and in which project."""
    settings = {"nofy.project_id": tenant.ids["project"], "nofy.user_id": tenant.ids["user"]}
    said = "".join(f"SELECT set_config('{name}', '{value}', true);" for name, value in settings.items())
    return said + statement


def attempt(database: Database, text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]] | None:
    """The rows, or None if it was refused."""
    try:
        return database.run(text, parameters)
    except RefusedByDatabaseError as error:
        if error.code != REFUSED:
            raise
        return None


def granted(postgres: PostgresBackend, role: str, table: str, right: str) -> list[str]:
    """The columns of a table with which a role may do something."""
    rows = postgres.superuser.run(
        "SELECT attname FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND has_column_privilege(%(role)s, attrelid, attnum, %(right)s) ORDER BY attnum",
        {"table": table, "role": role, "right": right},
    )
    return [name for (name,) in rows]


def columns(postgres: PostgresBackend, role: str, table: str, right: str) -> list[str]:
    """Those, or all of them where it may do nothing: to be refused for that."""
    return granted(postgres, role, table, right) or granted(postgres, "postgres", table, right)


def everything(postgres: PostgresBackend) -> dict[str, list[str]]:
    """What stands in every walled table."""
    query = "SELECT to_jsonb(t)::text FROM {} t ORDER BY 1"
    return {each: [row[0] for row in postgres.superuser.run(query.format(each))] for each in walled_tables(postgres)}


# The catalogue


def test_every_table_is_walled_or_is_known_to_belong_to_no_project(postgres: PostgresBackend) -> None:
    found = tables(postgres)
    assert set(SHARED) <= set(found)
    assert {name: wall for name, wall in found.items() if name not in SHARED and wall != (True, True)} == {}


def test_what_is_shared_has_nothing_that_belongs_to_somebody(postgres: PostgresBackend) -> None:
    rows = postgres.superuser.run(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND attname IN ('project_id', 'user_id', 'delivery_id')"
    )
    assert not {table for table, _ in rows} & set(SHARED)


def test_every_walled_table_is_tried_with_rows_of_two_projects(
    postgres: PostgresBackend, ours: Tenant, theirs: Tenant
) -> None:
    for table in walled_tables(postgres):
        for tenant in (ours, theirs):
            query = f"SELECT count(*) FROM {table} WHERE {tenant.where(table)}"
            assert postgres.superuser.run(query, tenant.ids)[0][0] > 0, f"no row to try {table} with"


def test_nobody_reaches_a_partition_but_through_its_table(postgres: PostgresBackend) -> None:
    rows = postgres.superuser.run(
        "SELECT c.relname, r.rolname FROM pg_class c, pg_roles r WHERE c.relispartition AND c.relkind = 'r'"
        " AND r.rolname = ANY (%(roles)s) AND (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
        " OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE'))",
        {"roles": list(ROLES)},
    )
    assert rows == []


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_ours_passes_the_walls_or_could_take_them_down(postgres: PostgresBackend, role: str) -> None:
    query = "SELECT rolbypassrls, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %(role)s"
    assert postgres.superuser.run(query, {"role": role}) == [(False, False, False, False)]
    owned = "SELECT relname FROM pg_class WHERE pg_has_role(%(role)s, relowner, 'MEMBER')"
    assert postgres.superuser.run(owned, {"role": role}) == []


def test_only_roles_that_act_for_every_project_see_every_projects_rows(postgres: PostgresBackend) -> None:
    rows = postgres.superuser.run("SELECT roles::text[] FROM pg_policies WHERE qual = 'true' OR with_check = 'true'")
    assert {each for (roles,) in rows for each in roles} == {"nofy_pipeline", "nofy_operator"}


# Tried


def test_another_projects_rows_are_not_seen(
    postgres: PostgresBackend, as_them: Database, ours: Tenant, theirs: Tenant
) -> None:
    for table in walled_tables(postgres):
        query = f"SELECT 1 FROM {table} WHERE {ours.where(table)}"
        assert attempt(as_them, acting_for(theirs, query), ours.ids) in ([], None), table
        assert attempt(as_them, query, ours.ids) in ([], None), f"{table}, without a project"


def test_what_is_ones_own_is_seen(postgres: PostgresBackend, as_them: Database, role: str, theirs: Tenant) -> None:
    """The cases around this one see nothing because of the walls, not because nothing can be seen."""
    for table in walled_tables(postgres):
        if granted(postgres, role, table, "SELECT"):
            query = f"SELECT 1 FROM {table} WHERE {theirs.where(table)}"
            assert attempt(as_them, acting_for(theirs, query), theirs.ids), table


def test_a_whole_table_tells_of_ones_own_project_alone(
    postgres: PostgresBackend, as_them: Database, role: str, ours: Tenant, theirs: Tenant
) -> None:
    for table in walled_tables(postgres):
        if granted(postgres, role, table, "SELECT"):
            own = postgres.superuser.run(f"SELECT count(*) FROM {table} WHERE {theirs.where(table)}", theirs.ids)
            assert attempt(as_them, acting_for(theirs, f"SELECT count(*) FROM {table}"), {}) == own, table


def test_another_projects_rows_are_not_changed(
    postgres: PostgresBackend, as_them: Database, role: str, ours: Tenant, theirs: Tenant
) -> None:
    before = everything(postgres)
    for table in walled_tables(postgres):
        column = columns(postgres, role, table, "UPDATE")[0]
        text = acting_for(theirs, f"UPDATE {table} SET {column} = DEFAULT WHERE {ours.where(table)}")
        attempt(as_them, text, ours.ids)
    assert everything(postgres) == before


def test_another_projects_rows_are_not_deleted(
    postgres: PostgresBackend, as_them: Database, ours: Tenant, theirs: Tenant
) -> None:
    before = everything(postgres)
    for table in walled_tables(postgres):
        attempt(as_them, acting_for(theirs, f"DELETE FROM {table} WHERE {ours.where(table)}"), ours.ids)
    assert everything(postgres) == before


def test_nothing_is_inserted_for_another_project(
    postgres: PostgresBackend, as_them: Database, role: str, ours: Tenant, theirs: Tenant
) -> None:
    before = everything(postgres)
    for table in walled_tables(postgres):
        text, parameters = copied(postgres, table, ours, columns(postgres, role, table, "INSERT"))
        assert attempt(as_them, acting_for(theirs, text), parameters) is None, table
    assert everything(postgres) == before


def copied(postgres: PostgresBackend, table: str, tenant: Tenant, names: list[str]) -> tuple[str, dict[str, Any]]:
    """One of the tenant's rows, inserted once more under a new key."""
    query = f"SELECT to_jsonb(t) FROM {table} t WHERE {tenant.where(table)} LIMIT 1"
    ((row,),) = postgres.superuser.run(query, tenant.ids)
    another = str(postgres.new_id())
    fresh = {"id": another, "notification_id": another, "token_hash": "\\x00", "key": "another", "attempt_no": 2}
    keys = set(fresh) - ({"notification_id"} if "id" in row else set())
    row |= {name: fresh[name] for name in keys if name in row}
    listed = ", ".join(names)
    text = f"INSERT INTO {table} ({listed}) SELECT {listed} FROM jsonb_populate_record(NULL::{table}, %(row)s::jsonb)"
    return text, {"row": json.dumps(row)}


def test_ones_own_row_is_not_moved_into_another_project(
    postgres: PostgresBackend, as_them: Database, role: str, ours: Tenant, theirs: Tenant
) -> None:
    before = everything(postgres)
    movable = [each for each in walled_tables(postgres) if "project_id" in granted(postgres, role, each, "UPDATE")]
    for table in movable:
        text = f"UPDATE {table} SET project_id = %(project)s"
        assert attempt(as_them, acting_for(theirs, text), ours.ids) is None, table
    assert "deliveries" in movable
    assert everything(postgres) == before


def test_an_erasure_stays_in_its_project(postgres: PostgresBackend, ours: Tenant, theirs: Tenant) -> None:
    before = everything(postgres)
    query = "SELECT array_agg(id) FROM notifications WHERE project_id = %(project)s"
    ((ids,),) = postgres.superuser.run(query, ours.ids)
    text = acting_for(theirs, "SELECT erased::text[], blanked FROM nofy_erase(%(ids)s::uuid[], false)")
    answers = {}
    for role in WALLED:
        database = postgres.connection(role)
        answers[role] = attempt(database, text, {"ids": ids})
        database.close()
    assert answers == {"nofy_api": None, "nofy_console": [([], 0)]}
    assert everything(postgres) == before


# What stays as it is


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
@pytest.mark.parametrize("role", [*ROLES, "owner", "superuser"])
def test_nobody_changes_what_the_audit_log_says(
    postgres: PostgresBackend, ours: Tenant, role: str, statement: str
) -> None:
    dsns = {"owner": postgres.owner_dsn, "superuser": postgres.superuser_dsn}
    database = Database(dsns[role], application="contract-other") if role in dsns else postgres.connection(role)
    before = everything(postgres)
    try:
        assert attempt(database, acting_for(ours, statement), {}) is None
    finally:
        database.close()
    assert everything(postgres) == before


@pytest.mark.parametrize("reading", ["SELECT credential FROM integrations", "SELECT * FROM integrations"])
def test_no_ciphertext_is_read_for_a_person_or_a_token(as_them: Database, ours: Tenant, reading: str) -> None:
    assert attempt(as_them, acting_for(ours, reading), {}) is None
    as_returned = "UPDATE integrations SET name = 'x' RETURNING credential"
    assert attempt(as_them, acting_for(ours, as_returned), {}) is None


def test_a_project_does_not_raise_its_own_limits(as_them: Database, ours: Tenant) -> None:
    for column in ("requests_per_second", "burst", "notifications_per_day", "erased_until"):
        text = acting_for(ours, f"UPDATE projects SET {column} = NULL")
        assert attempt(as_them, text, {}) is None, column


def test_a_token_of_another_project_is_found_by_whoever_holds_it_alone(
    postgres: PostgresBackend, ours: Tenant, theirs: Tenant
) -> None:
    token = ApiToken(postgres.new_id(), "server", Mode.LIVE, (Scope.SEND,), "nofy_…", postgres.now())
    postgres.belongings.create_token(ours.ids["project"], token, b"o" * 32, entry(postgres))
    for role in WALLED:
        database = postgres.connection(role)
        look = "SELECT set_config('nofy.token_hash', %(hash)s, true); SELECT id FROM api_keys"
        assert database.run(look, {"hash": (b"o" * 32).hex()}) == [(token.token_id,)]
        assert database.run(look, {"hash": (b"?" * 32).hex()}) == []
        database.close()


def test_the_walls_are_no_ones_to_take_down(as_them: Database) -> None:
    for statement in ("ALTER TABLE deliveries DISABLE ROW LEVEL SECURITY", "SET ROLE nofy_pipeline"):
        assert attempt(as_them, statement, {}) is None
