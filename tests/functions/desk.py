"""The console's handler and routes with people who are their names, over stores in memory or in PostgreSQL."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from nofy.domain.accounts import Identity
from nofy.domain.errors import UnauthenticatedError
from nofy.domain.ids import Prefix, encode
from nofy.runtime.api import console_routes
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.application import Application
from nofy.runtime.api.console import ConsolePorts
from nofy.runtime.api.edge import Edge
from nofy.runtime.api.invitation_mail import InvitationMail
from nofy.runtime.api.routes import Function
from tests.fakes import CountingIds, ManualClock, MemorySchedule, MemoryStore
from tests.fakes.accounts import MemoryAccounts
from tests.fakes.quotas import MemoryQuotas
from tests.fakes.vault import MemoryVault
from tests.functions.conftest import event

if TYPE_CHECKING:
    from types import ModuleType

POST = event("api_post_notification")
URL = "https://console.example"
SLACK = {"channel": "slack", "name": "Team", "settings": {"kind": "bot"}, "credential": "xoxb-secret-1234"}
BREVO = {
    "channel": "email",
    "name": "Mail",
    "settings": {"sender": {"email": "no-reply@example.com", "name": "Acme"}},
    "credential": "xkeysib-secret-5678",
}


class Answer:
    """What API Gateway gets back."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status = raw["statusCode"]
        self.headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        self.json = json.loads(raw["body"])

    @property
    def told(self) -> tuple[int, str]:
        return self.status, self.json["code"]


class Console:
    """The console's own handler and routes, with its ports replaced by memory; people are their names."""

    def __init__(self, module: ModuleType, context: Any) -> None:
        self.module, self.context = module, context
        self.clock = ManualClock()
        self.store: Any = MemoryStore(self.clock)
        self.schedule = MemorySchedule(self.clock)
        self.quotas = MemoryQuotas()
        self.vault = MemoryVault()
        self.accounts: Any = MemoryAccounts(self.store, self.clock)
        self.unverified: set[str] = set()
        self.wire()

    def wire(self, url: str | None = URL) -> None:
        admission = Admission(self.quotas, self.clock, Function.CONSOLE)
        new_id = CountingIds(self.clock)
        ports = ConsolePorts(
            edge=Edge(self.store, self.accounts, self.identity, admission, self.clock),
            admission=admission,
            people=self.accounts,
            belongings=self.accounts,
            sealer=self.vault,
            mail=InvitationMail(self.store, self.schedule, admission, self.clock, new_id.born_at),
            url=url,
            choose=random.Random(6).choice,
            clock=self.clock,
            new_id=new_id,
        )
        self.module.app = Application()
        console_routes.register(self.module.app, ports)

    def identity(self, token: str) -> Identity:
        """A console token is a name between two dots here."""
        head, name, _ = token.split(".")
        if head != "signed":
            raise UnauthenticatedError
        return Identity("https://id.example", name, f"{name}@example.com", name not in self.unverified, name.title())

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "olga", **headers: str) -> Answer:
        self.clock.advance(1)
        token = who if who.startswith("nofy_") else f"signed.{who}.x"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = path.partition("?")
        asked = deepcopy(POST) | {"httpMethod": method, "path": path, "multiValueHeaders": None}
        asked |= {"headers": {"Authorization": f"Bearer {token}", **named}}
        asked |= {"body": body if isinstance(body, str | None) else json.dumps(body)}
        asked |= {"queryStringParameters": dict(each.split("=", 1) for each in query.split("&")) if query else None}
        asked["multiValueQueryStringParameters"] = None
        return Answer(self.module.handler(asked, self.context))

    def found(self, name: str = "Acme", who: str = "olga") -> str:
        """A new project's path."""
        return str(self.ask("POST", "/v1/projects", {"name": name}, who=who).json["links"]["self"])

    def invite(self, project: str, role: str, name: str) -> str:
        """Somebody's user id, after they have joined."""
        link = self.ask("POST", f"{project}/invitations", {"role": role}).json["link"]
        joined = self.ask("POST", "/v1/invitations/accept", {"token": link.partition("#")[2]}, who=name)
        assert joined.status == 200
        return user_id(name)

    def actions(self, project: str) -> list[str]:
        return [each["action"] for each in self.ask("GET", f"{project}/audit-log").json["entries"]]


def user_id(name: str) -> str:
    identity = Identity("https://id.example", name, f"{name}@example.com", True, name.title())
    return encode(Prefix.USER, identity.user_id)
