"""The table of routes, and that nothing is registered past it."""

from __future__ import annotations

import pytest

from nofy.domain.permissions import Permission
from nofy.runtime.api.application import Application
from nofy.runtime.api.edge import Routes
from nofy.runtime.api.operations import operations
from nofy.runtime.api.responses import answer
from nofy.runtime.api.routes import CONSOLE, PRODUCER, ROUTES, SESSION, Access, Function, Route


def test_every_line_of_the_table_has_a_name_and_an_address_of_its_own():
    lines = [*PRODUCER, *CONSOLE, *SESSION]
    assert len({each.name for each in lines}) == len({(each.method, each.path) for each in lines}) == len(lines)


def test_every_route_is_described_once():
    described = [each.name for each in operations()]
    assert sorted(described) == sorted(ROUTES.keys() - {"describe"})


@pytest.mark.parametrize(
    ("permission", "access"),
    [(None, Access.PROJECT), (Permission.PROJECT_READ, Access.PUBLIC), (Permission.PROJECT_READ, Access.PERSON)],
)
def test_what_is_asked_within_a_project_takes_a_permission_and_nothing_else_does(permission, access: Access):
    with pytest.raises(ValueError, match="takes a permission"):
        Route("x", "get", "/x", permission, Function.PRODUCER, access)


def test_a_route_without_a_line_in_the_table_cannot_be_registered():
    with pytest.raises(KeyError):
        Routes(Application(), None, Function.PRODUCER).public("listEverything")


@pytest.mark.parametrize("name", ["createNotification", "showMe"])
def test_a_route_cannot_be_registered_as_more_open_than_its_line_says(name: str):
    with pytest.raises(ValueError, match=name):
        Routes(Application(), None, ROUTES[name].function).public(name)


def test_a_route_cannot_be_registered_by_another_function():
    with pytest.raises(ValueError, match="describe is a public route of producer"):
        Routes(Application(), None, Function.SESSION).public("describe")


@pytest.mark.parametrize(
    ("method", "path", "parameters"),
    [
        ("POST", "/v1/notifications/ntf_1/cancel", {"notification_id": "ntf_1"}),
        ("post", "/v1/notifications/ntf_1/cancel", {"notification_id": "ntf_1"}),
        ("POST", "/v1/notifications/ntf_1/cancel/", {"notification_id": "ntf_1"}),
        ("POST", "/v1/notifications/a%20b;c/cancel", {"notification_id": "a%20b;c"}),
        ("GET", "/v1/notifications/ntf_1/cancel", None),
        ("POST", "/v1/notifications//cancel", None),
        ("POST", "/v1/notifications/ntf_1/cancel/now", None),
        ("POST", "/v1/notifications/ntf_1", None),
        ("POST", "v1/notifications/ntf_1/cancel", None),
        ("POST", "", None),
    ],
)
def test_a_route_is_found_by_its_method_and_by_every_step_of_its_path(method: str, path: str, parameters):
    assert ROUTES["cancelNotification"].match(method, path) == parameters


def test_a_path_without_parameters_is_meant_before_one_that_would_take_it_for_an_id():
    app = Application()
    told = {name: answer(200, {"route": name}) for name in ("getDeadLetter", "listDeadLetterGroups")}
    app.add(ROUTES["getDeadLetter"], lambda dead_letter_id: told["getDeadLetter"])
    app.add(ROUTES["listDeadLetterGroups"], lambda: told["listDeadLetterGroups"])
    asked = {"httpMethod": "GET", "path": "/v1/dead-letters/groups"}
    assert app.resolve(asked, None)["body"] == told["listDeadLetterGroups"].body
