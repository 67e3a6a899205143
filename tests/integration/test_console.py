"""The console as its own role on a real PostgreSQL: every right that it needs, behind the walls that hold it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.accounts import PostgresBelongings, PostgresMemberships, PostgresPeople
from nofy.adapters.postgres.database import Database
from nofy.domain.ids import Prefix, decode
from tests.contract.stores import as_role
from tests.functions.conftest import ENVIRONMENT, Context, load_handler
from tests.functions.desk import BREVO, SLACK, URL, Console, user_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from uuid import UUID

    from tests.contract.stores import PostgresBackend


class Accounts:
    """All three over one connection."""

    def __init__(self, database: Database) -> None:
        self._parts = (PostgresMemberships(database), PostgresPeople(database), PostgresBelongings(database))

    def __getattr__(self, name: str) -> Any:
        return next(getattr(each, name) for each in self._parts if hasattr(each, name))


class Desk(Console):
    """The console over PostgreSQL."""

    def __init__(self, module: ModuleType, context: Context, database: Database) -> None:
        self._database = database
        super().__init__(module, context)

    def wire(self, url: str | None = URL) -> None:
        self.clock.now = datetime.now(UTC)  # PostgreSQL asks its own clock what is past its time
        self.store = PostgresAcceptances(self._database)
        self.accounts = Accounts(self._database)
        super().wire(url)


@pytest.fixture
def console(postgres: PostgresBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    database = Database(as_role(postgres.owner_dsn, "nofy_console"), application="console")
    yield Desk(load_handler("console"), Context(), database)
    database.close()


def test_from_the_first_sign_in_to_a_project_that_is_closed(console: Desk):
    project = console.found()
    for each in (SLACK, BREVO):
        assert console.ask("POST", f"{project}/integrations", each).status == 201
    invited = console.ask("POST", f"{project}/invitations", {"role": "admin", "email": "Vera@example.com"}).json
    assert invited["sent_by_email"]
    accepted = console.ask("POST", "/v1/invitations/accept", {"token": invited["link"].partition("#")[2]}, who="vera")
    assert (accepted.status, accepted.json["role"]) == (200, "admin")
    asked = {"name": "CI", "mode": "live", "scopes": ["read", "manage"]}
    token = console.ask("POST", f"{project}/tokens", asked, who="vera").json
    erased = console.ask("DELETE", "/v1/recipients?address=vera@example.com", who=token["token"])
    assert erased.json["erased"] == {"notifications": 0, "deliveries": 0, "cancelled": 0, "in_flight": 0}
    erased = console.ask("DELETE", "/v1/recipients?address=Vera@example.com", who=token["token"])
    assert erased.json["erased"] == {"notifications": 1, "deliveries": 1, "cancelled": 1, "in_flight": 0}
    assert console.ask("DELETE", f"{project}/tokens/{token['id']}").status == 200
    assert console.ask("GET", project, who=token["token"]).status == 401
    assert console.ask("POST", f"{project}/leave", who="vera").status == 200
    assert console.ask("POST", f"{project}/archive", {"name": "Acme"}).status == 200
    assert console.ask("GET", project).status == 404


def test_what_was_done_is_read_back_in_order(console: Desk):
    project = console.found()
    made = console.ask("POST", f"{project}/integrations", SLACK).json
    path = f"{project}/integrations/{made['id']}"
    changed = console.ask("PATCH", path, {"credential": "xoxb-another-9876", "name": "Ops"}).json
    assert (changed["name"], changed["credential"]["version"], changed["credential"]["hint"]) == ("Ops", 2, "…9876")
    assert console.ask("GET", path).json == changed
    assert console.ask("DELETE", path).status == 200
    told = ["integration.removed", "integration.changed", "integration.created", "project.created"]
    assert console.actions(project) == told
    (only,) = console.ask("GET", f"{project}/audit-log?action=integration.changed").json["entries"]
    assert only["details"] == {"changed": ["name", "credential"]}
    assert "9876" not in str(only)


def test_another_projects_things_are_not_there(console: Desk, postgres: PostgresBackend):
    project, theirs = console.found(), console.found("Other", "eve")
    token = console.ask("POST", f"{theirs}/tokens", {"name": "x", "mode": "live", "scopes": ["send"]}, who="eve").json
    made = console.ask("POST", f"{theirs}/integrations", SLACK, who="eve").json
    invited = console.ask("POST", f"{theirs}/invitations", {"role": "viewer"}, who="eve").json
    for method, path, body in (
        ("DELETE", f"tokens/{token['id']}", None),
        ("GET", f"integrations/{made['id']}", None),
        ("PATCH", f"integrations/{made['id']}", {"credential": "xoxb-mine-1111"}),
        ("DELETE", f"integrations/{made['id']}", None),
        ("DELETE", f"invitations/{invited['id']}", None),
        ("PATCH", f"members/{user_id('eve')}", {"role": "viewer"}),
        ("DELETE", f"members/{user_id('eve')}", None),
    ):
        assert console.ask(method, f"{project}/{path}", body).told == (404, "not_found"), path
        assert console.ask(method, f"{theirs}/{path}", body).told == (404, "not_found"), path
    assert console.ask("GET", theirs, who="eve").status == 200
    assert _credential(postgres, decode(Prefix.INTEGRATION, made["id"])).startswith(b"sealed for")
    assert console.actions(project) == ["project.created"]


def test_no_secret_stands_in_the_database(console: Desk, postgres: PostgresBackend):
    project = console.found()
    token = console.ask("POST", f"{project}/tokens", {"name": "x", "mode": "live", "scopes": ["send"]}).json["token"]
    link = console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "d@x.example"}).json["link"]
    console.ask("POST", f"{project}/integrations", SLACK)
    tables = "users memberships invitations audit_log api_keys integrations projects"
    rows = [postgres.superuser.run(f"SELECT to_jsonb(t)::text FROM {each} t") for each in tables.split()]
    for secret in (token, link.partition("#")[2], SLACK["credential"]):
        assert str(secret) not in str(rows)
        assert str(secret).encode().hex() not in str(rows)


def _credential(postgres: PostgresBackend, identifier: UUID | None) -> bytes:
    rows = postgres.superuser.run("SELECT credential FROM integrations WHERE id = %(id)s", {"id": identifier})
    return bytes(rows[0][0])
