"""The whole API in one process, as API Gateway puts it together: the functions' handlers on real PostgreSQL and Redis.

Nothing stands in for the doorkeeper: console tokens are signed by a key of the test's and verified by its public half.
What is replaced is the vault's hop (a Lambda's invoke); the rest is what is deployed.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from redis import Redis

from infra.constructs.rest_api import CONSOLE_ROUTES
from nofy.adapters.jose.signing import generate, public_half, sign
from nofy.adapters.jose.verifying import ConsoleTokens
from nofy.domain import tokens
from nofy.domain.ids import Prefix, decode, encode
from nofy.domain.permissions import Role, Scope
from nofy.domain.tokens import Mode
from nofy.runtime import clock
from nofy.runtime.api import console_routes
from nofy.runtime.api.application import Application
from tests.contract.conftest import migrated, postgres_server_dsn, redis_url
from tests.contract.stores import as_role
from tests.contract.test_accounts import join, person
from tests.contract.test_walls import fill
from tests.fakes.vault import MemoryVault
from tests.functions.conftest import ENVIRONMENT, Context, load_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nofy.domain.accounts import Identity
    from tests.contract.stores import PostgresBackend

__all__ = ["migrated", "postgres_server_dsn", "redis_url"]

KEY = generate(clock.now(), clock.now())
ISSUER = ENVIRONMENT["CONSOLE_ISSUER"]
FUNCTIONS = ("producer", "console", "session")


@dataclass(frozen=True)
class Answer:
    """What a client gets."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def told(self) -> tuple[int, str]:
        return self.status, self.json.get("code", "")


class Api:
    """Three handlers behind one address."""

    def __init__(self, backend: PostgresBackend) -> None:
        self.modules = {each: load_handler(each) for each in FUNCTIONS}
        self.backend = backend
        self.vault = MemoryVault()
        console = ConsoleTokens(lambda: [public_half(KEY)], ISSUER, clock.now)
        for name in ("producer", "console"):
            edge = self.modules[name].ports.edge
            assert edge._verify is not None
            edge._verify = console.verify
        self.replace_vault(self.vault)

    def replace_vault(self, sealer: Any) -> None:
        """The console's routes, registered anew with another sealer."""
        module = self.modules["console"]
        module.app = Application(module.configured.cors_origins)
        console_routes.register(module.app, replace(module.ports, sealer=sealer))

    @property
    def databases(self) -> list[Any]:
        return [self.modules[each].database for each in ("producer", "console")]

    @property
    def trips(self) -> int:
        return sum(each.trips for each in self.databases)

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """API Gateway's own routing (``infra/constructs/rest_api.py``): the first part below /v1 says whose it is."""
        parts = event["path"].split("/")
        first = parts[2] if len(parts) > 2 and parts[1] == "v1" else ""
        whose = "console" if first in CONSOLE_ROUTES else "session" if parts[1:] == ["v1", "session"] else "producer"
        answer: dict[str, Any] = self.modules[whose].handler(event, Context())
        return answer

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """One request. A body that is text goes as it is; ``more`` is put into the event as it is."""
        where, _, query = path.partition("?")
        given = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        text = body if isinstance(body, str | None) else json.dumps(body)
        event = request(method, where, parse_qsl(query, keep_blank_values=True), given | (headers or {}), text)
        return answered(self.handle(event | more))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The same as a WSGI application."""
        names = {each: each[5:].replace("_", "-").title() for each in environ if each.startswith("HTTP_")}
        headers = {name: environ[each] for each, name in names.items()}
        headers |= {"Content-Type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        # (no media type is binary for this API: API Gateway hands over text)
        text = body.decode(errors="replace") if body else None
        answer = answered(self.handle(request(environ["REQUEST_METHOD"], path, query, headers, text)))
        start_response(f"{answer.status} told", list(answer.headers.items()))
        return [answer.text.encode()]


def request(
    method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: str | None
) -> dict[str, Any]:
    """An event of API Gateway's REST API."""
    several: dict[str, list[str]] = {}
    for name, value in query:
        several.setdefault(name, []).append(value)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"identity": {"sourceIp": "192.0.2.1"}, "path": path, "httpMethod": method, "stage": "live"},
        "body": body,
        "isBase64Encoded": False,
    }


def answered(raw: dict[str, Any]) -> Answer:
    headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
    return Answer(raw["statusCode"], headers, raw["body"])


@dataclass(frozen=True)
class Tenant:
    """A project with one of everything, and its owner."""

    project: str
    owner: Identity
    ids: dict[str, str]
    api_token: str

    @property
    def token(self) -> str:
        return console_token(self.owner)

    @property
    def headers(self) -> dict[str, str]:
        return {"Nofy-Project": self.project}

    def path(self, template: str) -> str:
        for name, value in self.ids.items():
            template = template.replace(f"{{{name}}}", value)
        return template


def console_token(who: Identity, now: datetime | None = None) -> str:
    return sign(who, KEY, ISSUER, now or clock.now(), uuid4()).token


_numbers = count(1)


def settle(api: Api, name: str) -> Tenant:
    """A tenant, with limits that no test meets."""
    backend, name = api.backend, f"{name}{next(_numbers)}"
    known = fill(backend, name)
    owner, project_id = person(backend, name), known.ids["project"]
    backend.superuser.run(
        "UPDATE projects SET requests_per_second = 100000, burst = 100000 WHERE id = %(id)s", {"id": project_id}
    )
    secret = tokens.generate(Mode.LIVE, secrets.choice)
    key_id = known.project.principal.actor.actor_id
    backend.superuser.run(
        "UPDATE api_keys SET token_hash = %(hash)s, scopes = %(scopes)s WHERE id = %(id)s",
        {"hash": tokens.digest(secret), "id": key_id, "scopes": list(Scope)},
    )
    ids = {
        "project_id": encode(Prefix.PROJECT, project_id),
        "user_id": encode(Prefix.USER, known.user_id),
        "token_id": encode(Prefix.KEY, key_id),
        "notification_id": encode(Prefix.NOTIFICATION, _first(backend, "notifications", project_id)),
        "dead_letter_id": encode(Prefix.DEAD_LETTER, _first(backend, "dead_letters", project_id)),
        "invitation_id": encode(Prefix.INVITATION, _first(backend, "invitations", project_id)),
        "integration_id": encode(Prefix.INTEGRATION, _first(backend, "integrations", project_id)),
    }
    return Tenant(ids["project_id"], owner, ids, secret)


def _first(backend: PostgresBackend, table: str, project_id: UUID) -> UUID:
    found = backend.superuser.run(f"SELECT id FROM {table} WHERE project_id = %(id)s LIMIT 1", {"id": project_id})
    return UUID(str(found[0][0]))


def member(api: Api, tenant: Tenant, name: str, role: Role) -> str:
    """The console token of somebody else in the project."""
    who, project_id = person(api.backend, name), decode(Prefix.PROJECT, tenant.project)
    assert project_id is not None
    join(api.backend, project_id, who, role)
    return console_token(who)


@pytest.fixture(scope="module")
def api(migrated: PostgresBackend, redis_url: str) -> Iterator[Api]:
    """The handlers under the environment that a deploy gives them; one set for a module, as a warm function has."""
    migrated.clean()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**ENVIRONMENT, "REDIS_URL": redis_url}.items():
            patched.setenv(name, value)
        # Each of them is loaded with the role of its own.
        made = _loaded(patched, migrated)
        yield made
        for each in made.databases:
            each.close()


def _loaded(patched: pytest.MonkeyPatch, backend: PostgresBackend) -> Api:
    patched.setenv("POSTGRES_DSN", as_role(backend.owner_dsn, "nofy_api"))
    made = Api(backend)
    made.modules["console"].database._dsn = as_role(backend.owner_dsn, "nofy_console")
    return made


@pytest.fixture(autouse=True)
def unlimited(redis_url: str) -> None:
    """What people may ask for without a project has no setting: each test begins with all of it."""
    with Redis.from_url(redis_url) as redis:
        redis.flushall()


@pytest.fixture(scope="module")
def ours(api: Api) -> Tenant:
    return settle(api, "ada")


@pytest.fixture(scope="module")
def theirs(api: Api) -> Tenant:
    return settle(api, "eve")
