"""Every route x every role x every scope x somebody else's project: who is let through to a handler, and who is not.

The handlers are the functions' own, and so is what registers them. Behind the door nothing answers (no database, no
Redis), which is told as a 503 or as what is wrong with an empty request: a test sees who was let in by that, and by
the door itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from nofy.domain.accounts import ActorKind
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import OF_ROLE, OF_SCOPE, Permission, Role, Scope
from nofy.domain.tokens import Mode
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.openapi import document
from nofy.runtime.api.principals import Principals
from nofy.runtime.api.routes import ROUTES, Access, Function, Route
from tests.fakes import ManualClock
from tests.fakes.quotas import MemoryQuotas
from tests.functions.conftest import ENVIRONMENT, Context, load_handler
from tests.functions.doors import Doors
from tests.unit.domain.examples import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from nofy.domain.notification import Principal

PROJECT_ID = encode(Prefix.PROJECT, PROJECT)
NOBODYS = "prj_01h455vb4pex5vsknk084sn02q"
OF_PROJECT = [each for each in ROUTES.values() if each.access is Access.PROJECT]
OF_PERSON = [each for each in ROUTES.values() if each.access is Access.PERSON]
PUBLIC = [each for each in ROUTES.values() if each.access is Access.PUBLIC]


class Doorway:
    """A function whose doorkeeper knows whom a test says, and remembers whom it let through."""

    def __init__(self, folder: str) -> None:
        self.module: ModuleType = load_handler(folder)
        self.edge = self.module.ports.edge
        self._doorkeepers: dict[str, Callable[..., Any]] = {
            "principal": self.edge.principal,
            "person": self.edge.person,
        }
        for name in self._doorkeepers:
            setattr(self.edge, name, self._watched(name))

    def reset(self) -> Doors:
        clock, doors = ManualClock(), Doors()
        self.through: list[Any] = []
        for name, value in {
            "_tokens": doors,
            "_memberships": doors,
            "_verify": doors.verify,
            "_admission": Admission(MemoryQuotas(), clock, Function.PRODUCER),
            "_principals": Principals(clock),
        }.items():
            assert hasattr(self.edge, name)
            setattr(self.edge, name, value)
        return doors

    def _watched(self, name: str) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            self.through.append(self._doorkeepers[name](*arguments))
            return self.through[-1]

        return watched

    def ask(self, route: Route, token: str | None, project: str | None = PROJECT_ID) -> tuple[int, str]:
        """Status and code; every other thing that the path names is a thing that nobody has."""
        path = route.path.replace("{project_id}", project or PROJECT_ID)
        headers = {"Nofy-Project": project} if project and not route.in_project else {}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        asked = {
            "httpMethod": route.method.upper(),
            "path": re.sub(r"{\w+}", "nobodys", path),
            "headers": headers,
            "body": None,
            "isBase64Encoded": False,
            "requestContext": {},
            "multiValueQueryStringParameters": None,
            "queryStringParameters": None,
        }
        answer = self.module.handler(asked, Context())
        return answer["statusCode"], json.loads(answer["body"]).get("code", "") if answer["body"] else ""


class Doorways(dict[Function, Doorway]):
    """Each function's, loaded when the first of its routes is tried."""

    def __missing__(self, function: Function) -> Doorway:
        self[function] = Doorway(function)
        return self[function]


@pytest.fixture(scope="module")
def doorways() -> Iterator[Doorways]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        yield Doorways()


def _named(routes: list[Route]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=lambda each: each.name)


def _let_in(doorway: Doorway, route: Route, token: str, may: frozenset[Permission]) -> Principal | None:
    """Asks, and holds the answer to the table; who was let in."""
    status, code = doorway.ask(route, token)
    if route.permission not in may:
        assert (status, code) == (403, "forbidden")
        assert not doorway.through
        return None
    assert status not in (401, 403, 429, 500)
    assert len(doorway.through) == 1
    return doorway.through[0]


@_named(OF_PROJECT)
@pytest.mark.parametrize("role", Role)
def test_a_member_may_what_their_role_may(doorways, route: Route, role: Role):
    doorway = doorways[route.function]
    ada = doorway.reset().person("ada", {PROJECT: role})
    found = _let_in(doorway, route, ada, OF_ROLE[role])
    if found is not None:
        assert (found.project_id, found.actor.kind, found.actor.name) == (PROJECT, ActorKind.USER, "Ada")


@_named(OF_PROJECT)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("scope", Scope)
def test_a_token_may_what_its_scope_may(doorways, route: Route, scope: Scope, mode: Mode):
    doorway = doorways[route.function]
    token = doorway.reset().token(PROJECT, scope, mode=mode)
    found = _let_in(doorway, route, token, OF_SCOPE[scope])
    if found is not None:
        assert (found.project_id, found.actor.kind, found.mode) == (PROJECT, ActorKind.TOKEN, mode)


@_named(OF_PROJECT)
def test_whoever_does_not_belong_to_a_project_finds_none_there_whatever_they_may_in_theirs(doorways, route: Route):
    doorway = doorways[route.function]
    doors = doorway.reset()
    for shown in (doors.person("eve", {PROJECT: Role.OWNER}), doors.token(PROJECT, *Scope), doors.person("bob")):
        assert doorway.ask(route, shown, NOBODYS) == (404, "not_found")
    assert not doorway.through


@_named(OF_PROJECT)
@pytest.mark.parametrize("project", [PROJECT_ID, NOBODYS])
def test_whoever_is_nobody_is_told_so_first(doorways, route: Route, project: str):
    doorway = doorways[route.function]
    doorway.reset()
    for shown in (None, "junk", "nobody.signed.this", "nofy_live_junk"):
        assert doorway.ask(route, shown, project) == (401, "unauthenticated")


@_named([each for each in OF_PROJECT if not each.in_project])
def test_a_person_says_which_project_they_mean(doorways, route: Route):
    doorway = doorways[route.function]
    ada = doorway.reset().person("ada", {PROJECT: Role.OWNER})
    assert doorway.ask(route, ada, None) == (400, "project_missing")


@_named(OF_PERSON)
def test_a_persons_own_routes_take_a_console_token_and_no_other(doorways, route: Route):
    doorway = doorways[route.function]
    doors = doorway.reset()
    assert doorway.ask(route, doors.token(PROJECT, *Scope), None) == (401, "unauthenticated")
    assert doorway.ask(route, None, None) == (401, "unauthenticated")
    assert not doorway.through
    assert doorway.ask(route, doors.person("ada"), None)[0] not in (401, 403, 429, 500)
    assert [each.name for each in doorway.through] == ["Ada"]


def test_nothing_is_public_but_the_document_and_the_sign_in():
    assert {each.path for each in PUBLIC} <= {"/v1/openapi.json", "/v1/session"}


def test_every_operation_of_the_document_is_among_those_that_were_tried():
    described = {(method, path) for path, operations in document()["paths"].items() for method in operations}
    tried = {(each.method, each.path) for each in OF_PROJECT + OF_PERSON + PUBLIC}
    assert described == tried - {("get", "/v1/openapi.json")}


def test_the_document_tells_the_permission_that_is_asked_for():
    for route in OF_PROJECT:
        operation = document()["paths"][route.path][route.method]
        assert operation["x-permission"] == route.permission
        assert operation["security"] == [{"token": []}, {"console": []}]
        assert {"401", "403", "404", "429"} <= operation["responses"].keys()
    for route in OF_PERSON:
        assert document()["paths"][route.path][route.method]["security"] == [{"console": []}]


@pytest.mark.parametrize("function", sorted({each.function for each in ROUTES.values()}))
def test_what_a_function_registers_is_what_the_table_has_for_it(function: Function, monkeypatch: pytest.MonkeyPatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    app = load_handler(function).app
    assert set(app.routes) == {each for each in ROUTES.values() if each.function == function}
