"""What every request meets before its route: who calls, for which project, how often, and whether they may.

``Routes`` is the only way to a route. It takes the route by its name from the table (``runtime/api/routes.py``), so a
route without its line there cannot be registered, and what the OpenAPI document says it takes is what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nofy.domain import tokens
from nofy.domain.accounts import Actor, ActorKind, ProjectLimits
from nofy.domain.errors import (
    ForbiddenError,
    NotFoundError,
    ProjectMissingError,
    RateLimitedError,
    RequestOutOfBoundsError,
    UnauthenticatedError,
)
from nofy.domain.ids import Prefix, decode
from nofy.domain.tokens import Mode
from nofy.runtime.api.principals import Principals
from nofy.runtime.api.responses import Response
from nofy.runtime.api.routes import ROUTES, Access, Function, Route
from nofy.runtime.api.strangers import Strangers

if TYPE_CHECKING:
    from uuid import UUID

    from nofy.domain.accounts import Identity
    from nofy.domain.notification import Principal
    from nofy.domain.permissions import Permission
    from nofy.ports.accounts import Allowance, Memberships
    from nofy.ports.clock import Clock
    from nofy.ports.tokens import Tokens, Verify
    from nofy.runtime.api.admission import Admission
    from nofy.runtime.api.application import Application

# A console token with the longest names it may hold is under 2 KB.
LONGEST_TOKEN = 4096

Handler = Callable[..., Response]


class Edge:
    """One function's doorkeeper.

    ``verify`` takes a console token and returns whom it was given to, or raises UnauthenticatedError
    (TokenExpiredError past its time); without it there are no console tokens here.
    """

    def __init__(
        self, tokens: Tokens, memberships: Memberships, verify: Verify | None, admission: Admission, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._memberships = memberships
        self._verify = verify
        self._admission = admission
        self._principals = Principals(clock)
        self._strangers = Strangers(clock)

    def principal(self, app: Application, permission: Permission, project: str | None = None) -> Principal:
        """Who calls, in the project that the path or the header Nofy-Project names, or that the token belongs to.

        Raises UnauthenticatedError, ProjectMissingError, NotFoundError (no project of theirs), RateLimitedError and
        ForbiddenError, in this order: who does not belong there learns nothing, not even how busy it is.
        """
        token = _bearer(app)
        named = project if project is not None else app.header("nofy-project")
        found = self._of_token(app, token, named) if token.startswith("nofy_") else self._of_person(app, token, named)
        if permission not in found.permissions:
            raise ForbiddenError(permission)
        return found

    def person(self, app: Application) -> Identity:
        """Who calls, by a console token and whatever the project. Raises UnauthenticatedError, RateLimitedError."""
        identity = self._identity(_bearer(app))
        self._admit(app, identity.user_id, ProjectLimits())
        return identity

    def _of_token(self, app: Application, token: str, named: str | None) -> Principal:
        """Junk is refused by its checksum, without asking the database."""
        if not tokens.well_formed(token):
            raise UnauthenticatedError
        digest = tokens.digest(token)
        if self._principals.is_refused(digest):
            raise UnauthenticatedError
        if self._principals.entry(digest) is None:
            self._strangers.refuse_guesser(_source(app))
        found = self._admitted(app, digest, lambda: self._tokens.principal(digest))
        if found is None:
            self._principals.refuse(digest)
            self._strangers.note(_source(app))
            raise UnauthenticatedError
        if named is not None and decode(Prefix.PROJECT, named) != found.project_id:
            raise NotFoundError(named)
        return found

    def _of_person(self, app: Application, token: str, named: str | None) -> Principal:
        identity = self._identity(token)
        if named is None:
            raise ProjectMissingError("the header Nofy-Project names it")
        project_id, mode = decode(Prefix.PROJECT, named), _mode(app)
        found = project_id and self._admitted(
            app,
            (identity.user_id, project_id, mode),
            lambda: self._memberships.of_person(identity.user_id, project_id, mode),
        )
        if not found:
            self._admit(app, identity.user_id, ProjectLimits())  # so that nobody tries ids by the thousand
            raise NotFoundError(named)
        return replace(found, actor=Actor(ActorKind.USER, identity.user_id, identity.name or identity.email))

    def _identity(self, token: str) -> Identity:
        if self._verify is None or token.count(".") != 2 or len(token) > LONGEST_TOKEN:
            raise UnauthenticatedError
        return self._verify(token)

    def _admitted(self, app: Application, key: object, load: Callable[[], Principal | None]) -> Principal | None:
        """The principal, as cached where that still holds; their request is counted before the database is asked.

        Where nothing is cached the project is not known before it was loaded. A change between those two moments
        is seen when the entry ends, at the latest.
        """
        entry = self._principals.entry(key)
        if entry is not None:
            version = self._admit(app, entry.principal.project_id, entry.principal.limits).version
            if self._principals.holds(entry, version):
                return entry.principal
        principal = load()
        if principal is None:
            self._principals.forget(key)
            return None
        if entry is None:
            self._principals.keep(key, principal, None)  # whoever asks too much is not loaded again to be told so
            version = self._admit(app, principal.project_id, principal.limits).version
        self._principals.keep(key, principal, version)
        return principal

    def _admit(self, app: Application, who: UUID, limits: ProjectLimits) -> Allowance:
        allowance = self._admission.ask(who, limits)
        app.headers |= {
            "RateLimit-Limit": str(allowance.limit),
            "RateLimit-Remaining": str(allowance.remaining),
            "RateLimit-Reset": str(allowance.reset),
        }
        if not allowance.allowed:
            raise RateLimitedError(allowance.retry_after)
        return allowance


class Routes:
    """Registers routes by their names in the table; whoever calls is known, and may, before a handler runs."""

    def __init__(self, app: Application, edge: Edge | None, function: Function) -> None:
        self._app = app
        self._edge = edge
        self._function = function

    def of_project(self, name: str) -> Callable[[Handler], Handler]:
        """``handler(principal, **path parameters)``, without ``project_id``: it is the principal's."""
        route, edge = self._route(name, Access.PROJECT)
        permission = route.permission
        assert edge is not None
        assert permission is not None

        def register(handler: Handler) -> Handler:
            def guarded(**parameters: str) -> Response:
                project = parameters.pop("project_id") if route.in_project else None
                return handler(edge.principal(self._app, permission, project), **parameters)

            return self._add(route, guarded, handler)

        return register

    def of_person(self, name: str) -> Callable[[Handler], Handler]:
        """``handler(identity, **path parameters)``."""
        route, edge = self._route(name, Access.PERSON)
        assert edge is not None

        def register(handler: Handler) -> Handler:
            def guarded(**parameters: str) -> Response:
                return handler(edge.person(self._app), **parameters)

            return self._add(route, guarded, handler)

        return register

    def public(self, name: str) -> Callable[[Handler], Handler]:
        """``handler(**path parameters)``."""
        route, _ = self._route(name, Access.PUBLIC)
        return lambda handler: self._add(route, handler, handler)

    def _route(self, name: str, access: Access) -> tuple[Route, Edge | None]:
        route = ROUTES[name]
        if (route.access, route.function) != (access, self._function):
            raise ValueError(f"{name} is a {route.access} route of {route.function}")
        return route, self._edge

    def _add(self, route: Route, guarded: Handler, handler: Handler) -> Handler:
        self._app.add(route, guarded)
        return handler


def _bearer(app: Application) -> str:
    scheme, _, token = (app.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError
    return token.strip()


def _source(app: Application) -> str:
    """The address that API Gateway saw, which no header of the request can change."""
    context = app.event.get("requestContext") or {}
    return str((context.get("identity") or {}).get("sourceIp"))


def _mode(app: Application) -> Mode:
    named = app.header("nofy-mode")
    if named is None:
        return Mode.LIVE
    if named not in list(Mode):
        raise RequestOutOfBoundsError("Nofy-Mode: live or test")
    return Mode(named)
