"""The routes of projects, and of who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nofy.queries import accounts
from nofy.runtime.api.application import Application, body_of
from nofy.runtime.api.bodies import parse_json
from nofy.runtime.api.requests import read
from nofy.runtime.api.responses import answer

if TYPE_CHECKING:
    from nofy.domain.accounts import Identity
    from nofy.domain.notification import Principal
    from nofy.runtime.api.console import Console
    from nofy.runtime.api.edge import Routes
    from nofy.runtime.api.responses import Response


def register(routes: Routes, app: Application, console: Console) -> None:
    """Add the routes to a resolver."""

    @routes.of_person("showMe")
    def show_me(identity: Identity) -> Response:
        return answer(200, accounts.me(identity, console.projects.of(identity)))

    @routes.of_person("listProjects")
    def index(identity: Identity) -> Response:
        return answer(200, {"projects": [accounts.membership(each) for each in console.projects.of(identity)]})

    @routes.of_person("createProject")
    def create(identity: Identity) -> Response:
        from nofy.runtime.api.console_models import ProjectRequest

        asked = read(ProjectRequest, parse_json(body_of(app)))
        made = console.projects.create(identity, asked.name, console.occasion_of(identity))
        return answer(201, accounts.membership(made))

    @routes.of_project("getProject")
    def show(principal: Principal) -> Response:
        project = console.projects.show(principal.project_id)
        return answer(200, accounts.project_with_permissions(project, principal.permissions))

    @routes.of_project("changeProject")
    def change(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import ProjectPatch

        asked = read(ProjectPatch, parse_json(body_of(app)))
        occasion = console.occasion(principal.actor)
        project = console.projects.change(principal.project_id, asked.change(), occasion)
        return answer(200, accounts.project_with_permissions(project, principal.permissions))

    @routes.of_project("archiveProject")
    def archive(principal: Principal) -> Response:
        from nofy.runtime.api.console_models import ArchiveRequest

        asked = read(ArchiveRequest, parse_json(body_of(app)))
        project = console.projects.archive(principal.project_id, asked.name, console.occasion(principal.actor))
        return answer(200, accounts.project(project))
