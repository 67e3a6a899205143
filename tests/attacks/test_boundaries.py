"""Members who want more than their role gives, tenants who know another's ids, and what a webhook's address may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nofy.adapters.providers.checks import ProviderChecks, Refused
from nofy.adapters.providers.http import HttpClient
from nofy.domain.errors import CredentialRefusedError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Role
from nofy.domain.routing import PROVIDER_OF, Channel
from nofy.runtime import clock
from nofy.runtime.api.routes import ROUTES, Access, Route
from tests.attacks.conftest import member

if TYPE_CHECKING:
    from uuid import UUID

    from tests.attacks.conftest import Answer, Api, Tenant

PROJECT = "/v1/projects/{project_id}"
MESSAGE = {"to": {"slack_channel": "C0ATTACK"}, "channels": ["slack"], "content": {"text": "hello"}}
# What each route needs besides ids to get as far as the thing it is about.
BODIES: dict[str, Any] = {
    "moveNotification": {"send_at": "2030-01-01T00:00:00Z"},
    "discardDeadLetter": {"reason": "x"},
    "changeMember": {"role": "viewer"},
    "changeIntegration": {"name": "mine"},
}
OF_THINGS = [
    each for each in ROUTES.values() if each.access is Access.PROJECT and each.path.count("{") > each.in_project
]
PREFIXES = {
    "notification_id": Prefix.NOTIFICATION,
    "dead_letter_id": Prefix.DEAD_LETTER,
    "user_id": Prefix.USER,
    "token_id": Prefix.KEY,
    "invitation_id": Prefix.INVITATION,
    "integration_id": Prefix.INTEGRATION,
}


def everything(api: Api) -> list[Any]:
    tables = "projects memberships invitations api_keys integrations notifications deliveries dead_letters attempts"
    return [api.backend.superuser.run(f"SELECT to_jsonb(t)::text FROM {each} t ORDER BY 1") for each in tables.split()]


def tried(api: Api, tenant: Tenant, route: Route, ids: dict[str, str]) -> Answer:
    path = route.path.replace("{project_id}", tenant.project)
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return api.ask(route.method.upper(), path, BODIES.get(route.name), tenant.token, tenant.headers)


# Another tenant's ids


@pytest.mark.parametrize("route", OF_THINGS, ids=lambda each: each.name)
def test_another_tenants_thing_is_as_absent_as_one_that_never_was(api: Api, ours: Tenant, theirs: Tenant, route: Route):
    """The same words, the same headers, and as many statements: nothing to tell one from the other by."""
    nobodys = {name: encode(prefix, clock.new_id()) for name, prefix in PREFIXES.items()}
    tried(api, ours, route, nobodys)
    before, costs, answers = everything(api), [], []
    for ids in (theirs.ids, nobodys):
        trips = api.trips
        answers.append(tried(api, ours, route, {name: ids[name] for name in PREFIXES}))
        costs.append(api.trips - trips)
    assert [each.told for each in answers] == [(404, "not_found")] * 2
    assert answers[0].text == answers[1].text
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert costs[0] == costs[1]
    assert everything(api) == before


@pytest.mark.parametrize("route", OF_THINGS, ids=lambda each: each.name)
def test_ones_own_thing_is_there(api: Api, theirs: Tenant, route: Route):
    """What the case above finds absent is not absent for its owner; what is changed by this is theirs."""
    assert tried(api, theirs, route, theirs.ids).status != 404


def test_ids_in_a_body_are_ones_own_or_nobodys(api: Api, ours: Tenant, theirs: Tenant):
    before = everything(api)
    letters = {"ids": [theirs.ids["dead_letter_id"]], "max": 10}
    for path, body, told in (
        ("redrive/preview", {"ids": letters["ids"]}, "count"),
        ("redrive", letters, "redriven"),
        ("discard", letters | {"reason": "x"}, "discarded"),
    ):
        answer = api.ask("POST", f"/v1/dead-letters/{path}", body, ours.token, ours.headers)
        assert answer.status in (200, 202)
        assert not [value for value in answer.json.values() if isinstance(value, int) and value], (told, answer.text)
    found = api.ask(
        "GET", f"/v1/dead-letters?notification={theirs.ids['notification_id']}", None, ours.token, ours.headers
    )
    assert found.json["dead_letters"] == []
    assert everything(api) == before


def test_a_cursor_of_another_tenants_page_shows_nothing_of_it(api: Api, ours: Tenant, theirs: Tenant):
    from nofy.domain.ids import decode
    from nofy.queries.pages import encode_cursor

    theirs_id = decode(Prefix.NOTIFICATION, theirs.ids["notification_id"])
    assert theirs_id is not None
    page = api.ask("GET", f"/v1/notifications?cursor={encode_cursor(theirs_id)}", None, ours.api_token)
    assert theirs.ids["notification_id"] not in page.text


# More than a role gives


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER, Role.ADMIN])
def test_nobody_makes_more_of_themselves_or_of_others(api: Api, ours: Tenant, role: Role):
    somebody = member(api, ours, f"mallory-{role}", role)
    where = ours.path(PROJECT)
    known = api.ask("GET", f"{where}/members", None, ours.token).json["members"]
    (own,) = [each["id"] for each in known if each["email"].startswith(f"mallory-{role}@")]
    more = [each.value for each in Role if each is Role.OWNER or role is not Role.ADMIN]
    for wanted in more:
        assert api.ask("PATCH", f"{where}/members/{own}", {"role": wanted}, somebody).told == (403, "forbidden")
        assert api.ask("POST", f"{where}/invitations", {"role": wanted}, somebody).told == (403, "forbidden")
    owner = ours.ids["user_id"]
    assert api.ask("PATCH", f"{where}/members/{owner}", {"role": "viewer"}, somebody).told == (403, "forbidden")
    assert api.ask("DELETE", f"{where}/members/{owner}", None, somebody).told == (403, "forbidden")
    if role is not Role.ADMIN:
        managing = {"name": "x", "mode": "live", "scopes": ["manage"]}
        assert api.ask("POST", f"{where}/tokens", managing, somebody).told == (403, "forbidden")
    after = api.ask("GET", f"{where}/members", None, ours.token).json["members"]
    assert sorted(each["role"] for each in after) == sorted(each["role"] for each in known)


def test_a_token_with_every_scope_makes_neither_members_nor_tokens(api: Api, ours: Tenant):
    where = ours.path(PROJECT)
    for method, path, body in (
        ("POST", "tokens", {"name": "x", "mode": "live", "scopes": ["manage"]}),
        ("POST", "invitations", {"role": "viewer"}),
        ("GET", "members", None),
        ("POST", "archive", {"name": "Contract"}),
    ):
        assert api.ask(method, f"{where}/{path}", body, ours.api_token).told == (403, "forbidden"), path


@pytest.mark.parametrize(
    ("method", "path", "body", "more"),
    [
        ("POST", "/v1/notifications", MESSAGE, ["id", "status", "mode", "project_id", "created_at", "deliveries"]),
        ("POST", "/v1/projects", {"name": "x"}, ["id", "role", "owner", "retention_days", "requests_per_second"]),
        ("PATCH", PROJECT, {"name": "x"}, ["requests_per_second", "burst", "notifications_per_day", "archived_at"]),
        ("POST", f"{PROJECT}/invitations", {"role": "viewer"}, ["expires_at", "token", "project_id", "invited_by"]),
        (
            "POST",
            f"{PROJECT}/tokens",
            {"name": "x", "mode": "live", "scopes": ["read"]},
            ["token", "hash", "token_hash", "permissions", "project_id"],
        ),
        (
            "POST",
            f"{PROJECT}/integrations",
            {"channel": "slack", "name": "x", "settings": {"kind": "bot"}, "credential": "xoxb-attack-1"},
            ["id", "ciphertext", "hint", "version", "checked", "held", "project_id", "provider"],
        ),
        ("PATCH", f"{PROJECT}/integrations/{{integration_id}}", {"name": "x"}, ["channel", "provider", "ciphertext"]),
    ],
)
def test_a_field_that_is_not_the_callers_to_set_is_refused(
    api: Api, ours: Tenant, method: str, path: str, body: dict[str, Any], more: list[str]
):
    for name in more:
        refused = api.ask(method, ours.path(path), body | {name: "1"}, ours.token, ours.headers)
        assert refused.told == (422, "invalid_request"), name
        assert [each["path"] for each in refused.json["errors"]] == [f"/{name}"]


# Requests forged by way of an integration

HOSTILE = [
    "https://hooks.slack.com@evil.example/services/T0/B0/x",
    "https://user:pass@hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack.com:8443/services/T0/B0/x",
    "https://hooks.slack.com.evil.example/services/T0/B0/x",
    "https://hooks.slack.com\\@evil.example/services/T0/B0/x",
    "https://hooks.slack.com%2f@evil.example/services/T0/B0/x",
    "https://hooks.slack.com/services/T0/B0/x?next=http://169.254.169.254/",
    "https://hooks.slack.com/services/T0/B0/x#@evil.example",
    "https://hooks.slack.com/services/../../T0/B0/x",
    "https://hooks.slack.com/services/T0/B0/%2e%2e%2f",
    "https://hooks\u3002slack\u3002com/services/T0/B0/x",
    "https://hooks.sla\u212bk.com/services/T0/B0/x",
    "https://169.254.169.254/services/T0/B0/x",
    "https://[::1]/services/T0/B0/x",
    "https://[::ffff:169.254.169.254]/services/T0/B0/x",
    "https://2852039166/services/T0/B0/x",
    "http://hooks.slack.com/services/T0/B0/x",
    "HTTPS://HOOKS.SLACK.COM/services/T0/B0/x",
    "//hooks.slack.com/services/T0/B0/x",
    "file:///services/T0/B0/x",
    "gopher://hooks.slack.com/services/T0/B0/x",
    "https://hooks.slack.com/services/T0/B0/x/../../../evil",
    "https://hooks.slack.com./services/T0/B0/x",
    "https://localhost/services/T0/B0/x",
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
]


class Uncalled(HttpClient):
    """Fails the test that makes it call anybody."""

    def ask(self, *arguments: Any, **more: Any) -> Any:
        raise AssertionError("somebody was called")


class Vault:
    """The vault's own check, in the console's process."""

    def __init__(self) -> None:
        self.checks = ProviderChecks(
            "https://slack.com/api", "https://api.brevo.com/v3", "https://graph.facebook.com/v25.0", Uncalled()
        )

    def check_and_seal(
        self, project_id: UUID, integration_id: UUID, channel: Channel, settings: dict[str, Any], credential: str
    ) -> Any:
        told = self.checks.check(PROVIDER_OF[channel], settings, credential)
        assert isinstance(told, Refused)
        raise CredentialRefusedError(told.reason)


@pytest.fixture
def checking(api: Api) -> Any:
    api.replace_vault(Vault())
    yield
    api.replace_vault(api.vault)


@pytest.mark.parametrize("address", HOSTILE)
def test_no_webhooks_address_leads_anywhere_but_to_slack(api: Api, ours: Tenant, checking: None, address: str):
    asked = {"channel": "slack", "name": "x", "settings": {"kind": "webhook"}, "credential": address}
    refused = api.ask("POST", ours.path(f"{PROJECT}/integrations"), asked, ours.token)
    assert refused.told == (422, "invalid_request")
    assert address not in refused.text
    changed = {"credential": address, "settings": {"kind": "webhook"}}
    where = ours.path(f"{PROJECT}/integrations/{{integration_id}}")
    assert api.ask("PATCH", where, changed, ours.token).told == (422, "invalid_request")


@pytest.mark.parametrize("number", ["1/../../../me", "1?access_token=x", "1#", "1%2f..", "١٢٣", "1\n2", "", "-1"])
def test_no_number_of_a_sender_makes_another_address(api: Api, ours: Tenant, checking: None, number: str):
    asked = {"channel": "whatsapp", "name": "x", "settings": {"phone_number_id": number}, "credential": "EAAattack"}
    refused = api.ask("POST", ours.path(f"{PROJECT}/integrations"), asked, ours.token)
    assert refused.told == (422, "invalid_request")


@pytest.mark.parametrize("name", ["url", "api_url", "base_url", "endpoint", "proxy", "host"])
def test_no_setting_moves_a_provider_elsewhere(api: Api, ours: Tenant, checking: None, name: str):
    for channel, settings in (("slack", {"kind": "bot"}), ("email", {"sender": {"email": "a@b.example"}})):
        asked = {
            "channel": channel,
            "name": "x",
            "settings": settings | {name: "http://evil.example"},
            "credential": "x",
        }
        refused = api.ask("POST", ours.path(f"{PROJECT}/integrations"), asked, ours.token)
        assert refused.told == (422, "invalid_request")
        assert f"/settings/{name}" in {each["path"] for each in refused.json["errors"]}
