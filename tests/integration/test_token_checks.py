"""What it costs to know who calls, and how soon it is known that they no longer may: on real PostgreSQL and Redis."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nofy.adapters.postgres.acceptances import PostgresAcceptances
from nofy.adapters.postgres.accounts import PostgresMemberships
from nofy.adapters.postgres.audit import PostgresAudit
from nofy.adapters.postgres.database import Database, RefusedByDatabaseError
from nofy.adapters.redis.quotas import RedisQuotas
from nofy.domain import tokens
from nofy.domain.accounts import Actor, ActorKind, AuditEntry
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Permission, Role
from nofy.domain.tokens import Mode
from nofy.runtime import clock
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.application import Application
from nofy.runtime.api.edge import Edge, Routes
from nofy.runtime.api.principals import LIFETIME
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import Function
from tests.functions.conftest import Context
from tests.functions.doors import Doors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.stores import PostgresBackend
    from tests.fakes.projects import Project

TOKEN = tokens.generate(Mode.LIVE, random.Random(5).choice)


class Wristwatch:
    """Real time, and more where a test wants more to have passed."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> Any:
        return clock.now() + self.ahead


class Process:
    """One producer's doorkeeper, with connections of its own and a route that does nothing."""

    def __init__(self, database: Database, redis_url: str, verify: Callable[[str], Any]) -> None:
        self.database, self.clock = database, Wristwatch()
        self.quotas = RedisQuotas(redis_url, timeout=0.25)
        admission = Admission(self.quotas, self.clock, Function.PRODUCER)
        edge = Edge(PostgresAcceptances(database), PostgresMemberships(database), verify, admission, self.clock)
        self.app: Application = Application()
        Routes(self.app, edge, Function.PRODUCER).of_project("listNotifications")(lambda principal: answer(200, {}))

    def status(self, token: str, **headers: str) -> int:
        asked = {
            "httpMethod": "GET",
            "path": "/v1/notifications",
            "headers": {"Authorization": f"Bearer {token}", **{k.replace("_", "-"): v for k, v in headers.items()}},
            "requestContext": {},
            "body": None,
        }
        return self.app.resolve(asked, Context())["statusCode"]

    def trips(self, token: str, **headers: str) -> tuple[int, int]:
        """What one request costs: PostgreSQL's trips, and Redis'."""
        postgres, redis = self.database.trips, self.quotas.trips
        assert self.status(token, **headers) == 200
        return self.database.trips - postgres, self.quotas.trips - redis


@pytest.fixture
def project(postgres: PostgresBackend) -> Project:
    project = postgres.project()
    which = {"hash": tokens.digest(TOKEN), "id": project.principal.actor.actor_id}
    postgres.superuser.run("UPDATE api_keys SET token_hash = %(hash)s WHERE id = %(id)s", which)
    return project


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
def started(postgres: PostgresBackend, redis_url: str, doors: Doors) -> Iterator[Callable[..., Process]]:
    processes = []

    def start(url: str = redis_url) -> Process:
        process = Process(postgres.connection("nofy_api"), url, doors.verify)
        process.database.run("SELECT 1")
        processes.append(process)
        return process

    yield start
    for each in processes:
        each.database.close()
        each.quotas.close()


def revoke(postgres: PostgresBackend) -> None:
    which = {"hash": tokens.digest(TOKEN)}
    postgres.superuser.run("UPDATE api_keys SET revoked_at = now() WHERE token_hash = %(hash)s", which)


def joined(postgres: PostgresBackend, doors: Doors, project: Project, role: Role) -> str:
    """A console token of somebody who is a member."""
    token = doors.person("ada")
    ada = doors.people[token]
    row = {"id": ada.user_id, "project": project.principal.project_id, "role": role, "name": ada.name}
    postgres.superuser.run(
        "INSERT INTO users (id, issuer, subject, email, email_verified, name)"
        " VALUES (%(id)s, 'i', 's', 'ada@example.com', true, %(name)s);"
        "INSERT INTO memberships (project_id, user_id, role) VALUES (%(project)s, %(id)s, %(role)s)",
        row,
    )
    return token


def test_a_token_check_costs_the_database_one_trip_and_then_none(started, project: Project):
    process = started()
    costs = [process.trips(TOKEN) for _ in range(3)]
    assert [postgres for postgres, _ in costs] == [1, 0, 0]
    assert [redis for _, redis in costs] == [1, 1, 1]


def test_so_does_a_persons(started, postgres, doors: Doors, project: Project):
    process, token = started(), joined(postgres, doors, project, Role.VIEWER)
    named = {"Nofy_Project": encode(Prefix.PROJECT, project.principal.project_id)}
    assert [process.trips(token, **named)[0] for _ in range(3)] == [1, 0, 0]


def test_whoever_may_not_costs_no_more(started, project: Project):
    process = started()
    stranger = tokens.generate(Mode.LIVE, random.Random(99).choice)
    before = process.database.trips
    assert [process.status(each) for each in (stranger, stranger, "nofy_live_junk")] == [401] * 3
    assert process.database.trips - before == 1


def test_a_revoked_token_stops_in_every_process_at_once(started, postgres, project: Project):
    processes = [started(), started()]
    assert [each.status(TOKEN) for each in processes] == [200, 200]
    revoke(postgres)
    processes[0].quotas.changed(project.principal.project_id)
    assert [each.status(TOKEN) for each in processes] == [401, 401]


def test_and_within_half_a_minute_where_redis_is_down(started, postgres, project: Project):
    process = started("redis://127.0.0.1:1/0")
    assert process.status(TOKEN) == 200
    revoke(postgres)
    assert process.status(TOKEN) == 200
    process.clock.ahead = LIFETIME
    assert process.status(TOKEN) == 401
    assert timedelta(seconds=30) > LIFETIME


def test_a_change_costs_one_more_trip_and_only_one(started, project: Project):
    process = started()
    process.trips(TOKEN)
    process.quotas.changed(project.principal.project_id)
    assert [process.trips(TOKEN)[0] for _ in range(3)] == [1, 0, 0]


def test_somebody_put_out_is_out_at_once(started, postgres, doors: Doors, project: Project):
    process, token = started(), joined(postgres, doors, project, Role.OWNER)
    named = {"Nofy_Project": encode(Prefix.PROJECT, project.principal.project_id)}
    assert process.status(token, **named) == 200
    postgres.superuser.run("DELETE FROM memberships")
    process.quotas.changed(project.principal.project_id)
    assert process.status(token, **named) == 404


def test_a_token_ends_at_its_time_though_it_is_cached(started, postgres, project: Project):
    ends = {"hash": tokens.digest(TOKEN)}
    postgres.superuser.run(
        "UPDATE api_keys SET expires_at = now() + interval '10 seconds' WHERE token_hash = %(hash)s", ends
    )
    process = started()
    assert process.status(TOKEN) == 200
    revoke(postgres)  # (its time is PostgreSQL's own; to be found gone, it must be looked for)
    process.clock.ahead = timedelta(seconds=9)
    assert process.status(TOKEN) == 200
    process.clock.ahead = timedelta(seconds=10)
    assert process.status(TOKEN) == 401


@pytest.mark.parametrize("role", ["nofy_api", "nofy_console"])
def test_who_did_what_is_written_down_in_ones_own_project_and_in_no_other(postgres, project: Project, role: str):
    own, others = project.principal.project_id, postgres.project().principal.project_id
    actor = Actor(ActorKind.USER, clock.new_id(), "Ada")
    entry = AuditEntry(clock.new_id(), clock.now(), actor, "notification.moved", "ntf_x", {"mode": "live"}, "req-1")
    database = postgres.connection(role)
    PostgresAudit(database).note(own, entry)
    assert database.trips == 1 + 3
    rows = postgres.superuser.run(
        "SELECT id, project_id, at, actor_kind, actor_id, actor_name, action, target, details, request_id"
        " FROM audit_log"
    )
    assert rows == [
        (entry.entry_id, own, entry.at, "user", actor.actor_id, "Ada", entry.action, "ntf_x", entry.details, "req-1")
    ]
    with pytest.raises(RefusedByDatabaseError):
        database.run(
            "SELECT set_config('nofy.project_id', %(own)s::text, true);"
            "INSERT INTO audit_log (id, project_id, actor_kind, actor_id, actor_name, action, target, request_id)"
            " VALUES (%(id)s, %(others)s, 'user', %(id)s, 'Eve', 'x', 'x', 'x')",
            {"own": own, "others": others, "id": clock.new_id()},
        )
    database.close()


def test_permissions_come_from_the_database_as_they_are_there(started, postgres, project: Project):
    assert Permission.NOTIFICATIONS_READ in project.principal.permissions
    which = {"hash": tokens.digest(TOKEN), "scopes": ["send"]}
    postgres.superuser.run("UPDATE api_keys SET scopes = %(scopes)s WHERE token_hash = %(hash)s", which)
    assert started().status(TOKEN) == 403
