"""The console as API Gateway calls it, over stores in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from nofy.domain import tokens
from nofy.domain.errors import CredentialRefusedError, ProviderUnavailableError, StoreUnavailableError
from nofy.domain.ids import Prefix, decode
from nofy.domain.tokens import Mode
from nofy.runtime.api.openapi import document
from tests.functions.desk import BREVO, SLACK, URL, Console, user_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@pytest.fixture
def console(function: Callable[[str], ModuleType], context: Any) -> Console:
    return Console(function("console"), context)


def test_who_signs_in_first_belongs_nowhere_and_makes_a_project(console: Console):
    me = console.ask("GET", "/v1/me").json
    assert me == {
        "user": {"id": user_id("olga"), "email": "olga@example.com", "email_verified": True, "name": "Olga"},
        "projects": [],
    }
    made = console.ask("POST", "/v1/projects", {"name": " Acme "})
    assert (made.status, made.json["name"], made.json["role"]) == (201, "Acme", "owner")
    assert console.ask("GET", "/v1/me").json["projects"] == [made.json]
    assert console.ask("GET", "/v1/projects").json == {"projects": [made.json]}
    assert console.ask("GET", "/v1/projects", who="eve").json == {"projects": []}


def test_a_project_tells_what_its_reader_may_do(console: Console):
    project = console.found()
    console.invite(project, "viewer", "vera")
    assert "project:archive" in console.ask("GET", project).json["permissions"]
    assert "project:update" not in console.ask("GET", project, who="vera").json["permissions"]


def test_a_project_is_renamed_and_archived(console: Console):
    project = console.found()
    changed = console.ask("PATCH", project, {"name": "Acme 2", "retention_days": 30})
    assert (changed.status, changed.json["name"], changed.json["retention_days"]) == (200, "Acme 2", 30)
    assert console.ask("POST", f"{project}/archive", {"name": "Acme"}).told == (422, "invalid_request")
    archived = console.ask("POST", f"{project}/archive", {"name": "Acme 2"})
    assert (archived.status, bool(archived.json["archived_at"])) == (200, True)
    assert console.ask("GET", project).told == (404, "not_found")
    assert console.ask("GET", "/v1/projects").json["projects"][0]["archived_at"] == archived.json["archived_at"]


def test_a_person_joins_by_a_link_and_is_given_another_role(console: Console):
    project = console.found()
    vera = console.invite(project, "viewer", "vera")
    assert console.ask("PATCH", project, {"name": "x"}, who="vera").told == (403, "forbidden")
    changed = console.ask("PATCH", f"{project}/members/{vera}", {"role": "admin"})
    assert (changed.status, changed.json["role"]) == (200, "admin")
    assert console.ask("PATCH", project, {"name": "x"}, who="vera").status == 200
    assert [each["role"] for each in console.ask("GET", f"{project}/members").json["members"]] == ["owner", "admin"]
    assert console.ask("PATCH", f"{project}/members/{vera}", {"role": "owner"}, who="vera").told == (403, "forbidden")
    assert console.ask("DELETE", f"{project}/members/{vera}").json == {"id": vera, "removed": True}
    assert console.ask("GET", project, who="vera").told == (404, "not_found")


def test_one_leaves_unless_one_is_the_last_owner(console: Console):
    project = console.found()
    console.invite(project, "viewer", "vera")
    assert console.ask("POST", f"{project}/leave", who="vera").json == {"id": user_id("vera"), "removed": True}
    assert console.ask("POST", f"{project}/leave").told == (409, "last_owner")
    assert console.ask("GET", project, who="vera").status == 404


def test_an_invitation_is_listed_without_its_token_and_revoked(console: Console):
    project = console.found()
    made = console.ask("POST", f"{project}/invitations", {"role": "developer", "email": "dora@example.com"})
    address, _, token = made.json["link"].partition("#")
    assert (made.status, address, made.json["sent_by_email"]) == (201, f"{URL}/invitations", False)
    (listed,) = console.ask("GET", f"{project}/invitations").json["invitations"]
    assert listed == {key: each for key, each in made.json.items() if key not in ("link", "sent_by_email")}
    refused = console.ask("POST", "/v1/invitations/accept", {"token": token}, who="eve")
    assert refused.told == (403, "invitation_for_another_person")
    assert console.ask("DELETE", f"{project}/invitations/{listed['id']}").json["removed"]
    assert console.ask("POST", "/v1/invitations/accept", {"token": token}, who="dora").told == (404, "not_found")


def test_it_is_sent_by_e_mail_once_the_project_can_send_any(console: Console):
    project = console.found()
    console.ask("POST", f"{project}/integrations", BREVO)
    made = console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "d@x.example"}, Nofy_Mode="test")
    assert made.json["sent_by_email"]
    (row,) = console.store.tables.deliveries.values()
    assert (row.live, row.planned.destination, row.expires_at.isoformat()[:10]) == (True, "d@x.example", "2026-05-11")
    assert made.json["link"] in row.planned.content["text"]
    assert console.schedule.due
    without = console.ask("POST", f"{project}/invitations", {"role": "viewer"})
    assert not without.json["sent_by_email"]
    assert len(console.store.tables.deliveries) == 1


def test_a_link_without_a_known_address_of_the_dashboard_is_for_copying_alone(console: Console):
    project = console.found()
    console.ask("POST", f"{project}/integrations", BREVO)
    console.wire(url=None)
    made = console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "dora@example.com"}).json
    assert (made["link"].partition("#")[0], made["sent_by_email"]) == ("/invitations", False)
    assert not console.store.tables.deliveries


def test_an_invitation_stands_where_its_e_mail_cannot_be_sent(console: Console):
    project = console.found()
    console.ask("POST", f"{project}/integrations", BREVO)

    def down(*_: Any) -> None:
        raise StoreUnavailableError("gone")

    console.store.accept = down  # type: ignore[assignment,method-assign]
    made = console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "dora@example.com"})
    assert (made.status, made.json["sent_by_email"]) == (201, False)
    token = made.json["link"].partition("#")[2]
    assert console.ask("POST", "/v1/invitations/accept", {"token": token}, who="dora").status == 200


def test_nobody_without_a_proved_address_accepts_one_that_is_for_an_address(console: Console):
    project = console.found()
    made = console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "dora@example.com"}).json
    console.unverified.add("dora")
    asked = {"token": made["link"].partition("#")[2]}
    assert console.ask("POST", "/v1/invitations/accept", asked, who="dora").told[0] == 403


def test_a_token_is_shown_once_works_and_is_revoked_at_once(console: Console):
    project = console.found()
    made = console.ask("POST", f"{project}/tokens", {"name": "CI", "mode": "live", "scopes": ["read", "send", "read"]})
    secret = made.json["token"]
    assert (made.status, made.json["scopes"]) == (201, ["send", "read"])
    assert tokens.well_formed(secret)
    assert console.ask("GET", project, who=secret).json["name"] == "Acme"
    assert console.ask("GET", f"{project}/members", who=secret).told == (403, "forbidden")
    assert console.ask("GET", console.found("Other"), who=secret).told == (404, "not_found")
    (listed,) = console.ask("GET", f"{project}/tokens").json["tokens"]
    assert "token" not in listed
    assert listed["last_used_at"]
    assert console.ask("DELETE", f"{project}/tokens/{listed['id']}").status == 200
    assert console.ask("GET", project, who=secret).told == (401, "unauthenticated")
    assert console.ask("DELETE", f"{project}/tokens/{listed['id']}").status == 404


def test_a_developer_makes_tokens_that_send_and_none_that_manage(console: Console):
    project = console.found()
    console.invite(project, "developer", "dora")
    asked = {"name": "x", "mode": "test", "scopes": ["send"]}
    assert console.ask("POST", f"{project}/tokens", asked, who="dora").status == 201
    refused = console.ask("POST", f"{project}/tokens", asked | {"scopes": ["manage"]}, who="dora")
    assert (refused.told, refused.json["permission"]) == ((403, "forbidden"), "audit:read")


def test_an_integration_is_made_shown_masked_and_changed(console: Console):
    project = console.found()
    made = console.ask("POST", f"{project}/integrations", SLACK)
    assert (made.status, made.json["default"], made.json["held"]) == (201, True, False)
    assert made.json["credential"] == {"hint": "…1234", "version": 1, "checked": {"account": "Acme"}}
    path = f"{project}/integrations/{made.json['id']}"
    assert console.ask("GET", path).json == made.json
    assert console.ask("GET", f"{project}/integrations").json == {"integrations": [made.json]}
    changed = console.ask("PATCH", path, {"credential": "xoxb-another-9876"})
    assert changed.json["credential"]["version"] == 2
    assert console.vault.asked[-1][1] == decode(Prefix.INTEGRATION, made.json["id"])
    assert console.ask("DELETE", path).json == {"id": made.json["id"], "removed": True}
    assert console.ask("GET", path).status == 404


def test_everything_wrong_with_an_integration_is_told_at_once(console: Console):
    project = console.found()
    asked = {"channel": "slack", "name": "a\nb", "settings": {"kind": "pigeon"}, "credential": "with space", "x": 1}
    refused = console.ask("POST", f"{project}/integrations", asked)
    paths = {each["path"] for each in refused.json["errors"]}
    assert paths == {"/credential", "/name", "/settings/kind", "/x"}
    assert "with space" not in json.dumps(refused.json)
    made = console.ask("POST", f"{project}/integrations", SLACK).json
    refused = console.ask("PATCH", f"{project}/integrations/{made['id']}", {"settings": {}, "default": False})
    assert {each["path"] for each in refused.json["errors"]} == {"/default", "/settings/kind"}


def test_what_its_provider_refuses_or_cannot_say_is_not_saved(console: Console):
    project = console.found()
    console.vault.error = CredentialRefusedError("slack says: invalid_auth")
    refused = console.ask("POST", f"{project}/integrations", SLACK)
    assert refused.told == (422, "invalid_request")
    assert refused.json["errors"][0] == {
        "path": "/credential",
        "code": "refused",
        "message": "slack says: invalid_auth",
    }
    console.vault.error = ProviderUnavailableError("no answer", 7)
    away = console.ask("POST", f"{project}/integrations", SLACK)
    assert (away.told, away.headers["Retry-After"]) == ((503, "provider_unavailable"), "7")
    assert console.ask("GET", f"{project}/integrations").json == {"integrations": []}


def test_everything_that_changes_stands_in_the_audit_log(console: Console):
    project = console.found()
    token = console.ask("POST", f"{project}/tokens", {"name": "CI", "mode": "live", "scopes": ["manage"]}).json
    console.ask("POST", f"{project}/integrations", SLACK, who=token["token"])
    console.ask("PATCH", project, {"name": "x"})
    told = ["project.changed", "integration.created", "token.created", "project.created"]
    assert console.actions(project) == told
    entries = console.ask("GET", f"{project}/audit-log").json["entries"]
    assert entries[1]["actor"] == {"kind": "token", "id": token["id"], "name": "CI"}
    assert entries[0]["actor"] == {"kind": "user", "id": user_id("olga"), "name": "Olga"}
    assert entries[0]["request_id"] == console.context.aws_request_id
    first = console.ask("GET", f"{project}/audit-log?limit=3").json
    second = console.ask("GET", f"{project}/audit-log?limit=3&cursor={first['next_cursor']}").json
    assert [*first["entries"], *second["entries"]] == entries
    assert second["next_cursor"] is None
    assert console.ask("GET", f"{project}/audit-log?action=token.created").json["entries"] == [entries[2]]


def test_a_recipient_is_erased_and_told_what_remains(console: Console):
    project = console.found()
    console.ask("POST", f"{project}/integrations", BREVO)
    console.ask("POST", f"{project}/invitations", {"role": "viewer", "email": "dora@example.com"})
    named = {"Nofy_Project": project.rpartition("/")[2]}
    done = console.ask("DELETE", "/v1/recipients?address=dora@example.com", **named)
    assert (done.status, done.json["erased"]) == (
        200,
        {"notifications": 1, "deliveries": 1, "cancelled": 1, "in_flight": 0},
    )
    assert len(done.json["remains"]) > 3
    (row,) = console.store.tables.deliveries.values()
    (notification,) = console.store.tables.notifications.values()
    assert "dora" not in repr([row.planned, notification.planned.draft])
    assert "recipient.erased" in console.actions(project)
    assert "dora" not in json.dumps(console.ask("GET", f"{project}/audit-log?action=recipient.erased").json)


def test_whose_data_is_erased_is_said_by_person_and_token_alike(console: Console):
    project = console.found()
    assert console.ask("DELETE", "/v1/recipients?address=dora@example.com").told == (400, "project_missing")
    made = console.ask("POST", f"{project}/tokens", {"name": "x", "mode": "live", "scopes": ["manage"]}).json
    assert console.ask("DELETE", "/v1/recipients?address=dora@example.com", who=made["token"]).status == 200


@pytest.mark.parametrize("query", ["", "?address=", "?address=a%20b", "?address= 15550100001", "?address=@", "?x=1"])
def test_an_address_is_one_that_could_have_been_sent_to(console: Console, query: str):
    project = console.found().rpartition("/")[2]
    refused = console.ask("DELETE", f"/v1/recipients{query}", Nofy_Project=project)
    assert refused.told == (422, "invalid_request")
    assert {each["path"] for each in refused.json["errors"]} >= {"?/address"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/projects", {}),
        ("POST", "/v1/projects", {"name": " "}),
        ("POST", "/v1/projects", {"name": "a\u0000b"}),
        ("POST", "/v1/projects", {"name": "a\r\nb"}),
        ("POST", "/v1/projects", {"name": "x" * 71}),
        ("POST", "/v1/projects", []),
        ("PATCH", "{project}", {}),
        ("PATCH", "{project}", {"name": None}),
        ("PATCH", "{project}", {"retention_days": 0}),
        ("PATCH", "{project}", {"retention_days": 91}),
        ("PATCH", "{project}", {"retention_days": "30"}),
        ("POST", "{project}/archive", {}),
        ("PATCH", "{project}/members/{olga}", {"role": "king"}),
        ("POST", "{project}/invitations", {"role": "viewer", "email": "nobody"}),
        ("POST", "{project}/invitations", {"role": "viewer", "email": "a@b.example\r\nBcc: c@d.example"}),
        ("POST", "/v1/invitations/accept", {"token": ""}),
        ("POST", "{project}/tokens", {"name": "x", "mode": "live", "scopes": []}),
        ("POST", "{project}/tokens", {"name": "x", "mode": "dry", "scopes": ["send"]}),
        ("POST", "{project}/tokens", {"name": "x", "mode": "live", "scopes": ["root"]}),
        ("POST", "{project}/tokens", {"name": "x", "mode": "live", "scopes": ["send"], "expires_at": "2020-01-01"}),
        ("POST", "{project}/tokens", {"name": "x", "mode": "live", "scopes": ["send"], "expires_at": 4102444800}),
        ("POST", "{project}/integrations", SLACK | {"channel": "pigeon"}),
        ("POST", "{project}/integrations", SLACK | {"credential": "xoxb-\u0000-secret"}),
        ("POST", "{project}/integrations", SLACK | {"credential": "xoxb\r\nX-Evil: 1"}),
        ("POST", "{project}/integrations", SLACK | {"default": "yes"}),
        ("POST", "{project}/integrations", SLACK | {"settings": {"kind": "bot", "x": "y"}}),
        (
            "POST",
            "{project}/integrations",
            BREVO | {"settings": {"sender": {"email": "a@b.example", "name": "A\r\nB"}}},
        ),
        ("GET", "{project}/audit-log?action=DROP", None),
        ("GET", "{project}/audit-log?limit=101", None),
        ("GET", "{project}/audit-log?cursor=junk", None),
    ],
)
def test_what_is_ill_formed_is_refused_with_its_place(console: Console, method: str, path: str, body: Any):
    asked = path.replace("{project}", console.found()).replace("{olga}", user_id("olga"))
    refused = console.ask(method, asked, body)
    assert refused.status in (400, 422)
    assert refused.headers["Content-Type"] == "application/problem+json"
    if refused.status == 422:
        assert refused.json["errors"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "members/usr_01h455vb4pex5vsknk084sn02q"),
        ("PATCH", "members/junk"),
        ("DELETE", "members/usr_01h455vb4pex5vsknk084sn02q"),
        ("DELETE", "invitations/inv_01h455vb4pex5vsknk084sn02q"),
        ("DELETE", "invitations/key_01h455vb4pex5vsknk084sn02q"),
        ("DELETE", "tokens/key_01h455vb4pex5vsknk084sn02q"),
        ("GET", "integrations/int_01h455vb4pex5vsknk084sn02q"),
        ("PATCH", "integrations/int_01h455vb4pex5vsknk084sn02q"),
        ("DELETE", "integrations/junk"),
    ],
)
def test_what_nobody_has_is_not_found(console: Console, method: str, path: str):
    asked = {"role": "viewer"} if path.startswith("members") else {"name": "x"}
    assert console.ask(method, f"{console.found()}/{path}", asked).told == (404, "not_found")


def test_a_change_is_told_to_whoever_cached_the_project_and_stands_without_redis(console: Console):
    project = console.found()
    before = dict(console.quotas.versions)
    asked = {"name": "CI", "mode": "live", "scopes": ["send"]}
    console.ask("POST", f"{project}/tokens", asked)
    assert console.quotas.versions != before
    console.quotas.down = True
    assert console.ask("POST", f"{project}/tokens", asked).status == 201


def test_every_answer_is_as_the_openapi_document_says(console: Console):
    described = document()

    def held(method: str, path: str, body: Any = None, **more: str) -> Any:
        answer = console.ask(method, path, body, **more)
        named = path.partition("?")[0].replace(project.rpartition("/")[2], "{project_id}")
        for kind, name in (
            ("inv_", "invitation_id"),
            ("key_", "token_id"),
            ("int_", "integration_id"),
            ("usr_", "user_id"),
        ):
            named = "/".join(f"{{{name}}}" if part.startswith(kind) else part for part in named.split("/"))
        content = described["paths"][named][method.lower()]["responses"][str(answer.status)]["content"]
        (schema,) = [each["schema"] for each in content.values()]
        validator = Draft202012Validator({**schema, "components": described["components"]})
        assert not [each.message for each in validator.iter_errors(answer.json)]
        return answer.json

    project = console.found()
    held("POST", "/v1/projects", {"name": "Other"})
    for path in ("/v1/me", "/v1/projects", project, f"{project}/members"):
        held("GET", path)
    held("PATCH", project, {"name": "Acme"})
    held("PATCH", project, {})
    vera = console.invite(project, "viewer", "vera")
    held("PATCH", f"{project}/members/{vera}", {"role": "admin"})
    held("DELETE", f"{project}/members/{vera}")
    held("POST", f"{project}/leave")
    invited = held("POST", f"{project}/invitations", {"role": "viewer", "email": "dora@example.com"})
    held("GET", f"{project}/invitations")
    held("POST", "/v1/invitations/accept", {"token": invited["link"].partition("#")[2]}, who="eve")
    held("POST", "/v1/invitations/accept", {"token": invited["link"].partition("#")[2]}, who="dora")
    held("DELETE", f"{project}/invitations/{invited['id']}")
    made = held("POST", f"{project}/tokens", {"name": "CI", "mode": "live", "scopes": ["send"]})
    held("GET", f"{project}/tokens")
    held("DELETE", f"{project}/tokens/{made['id']}")
    for each in (SLACK, BREVO):
        made = held("POST", f"{project}/integrations", each)
        held("GET", f"{project}/integrations/{made['id']}")
        held("PATCH", f"{project}/integrations/{made['id']}", {"name": "x"})
    held("GET", f"{project}/integrations")
    held("DELETE", f"{project}/integrations/{made['id']}")
    held("GET", f"{project}/audit-log")
    held("DELETE", "/v1/recipients?address=dora@example.com", Nofy_Project=project.rpartition("/")[2])
    held("POST", f"{project}/archive", {"name": "Acme"})


def test_a_secret_is_told_once_and_in_no_other_answer(console: Console):
    project = console.found()
    token = console.ask("POST", f"{project}/tokens", {"name": "CI", "mode": "live", "scopes": ["send"]}).json["token"]
    link = console.ask("POST", f"{project}/invitations", {"role": "viewer"}).json["link"]
    console.ask("POST", f"{project}/integrations", SLACK)
    read = [
        console.ask("GET", path).json
        for path in ("/v1/me", project, *(f"{project}/{each}" for each in ("members", "tokens", "invitations")))
    ]
    read += [console.ask("GET", f"{project}/{each}").json for each in ("integrations", "audit-log")]
    for secret in (token, link.partition("#")[2], SLACK["credential"]):
        assert secret not in json.dumps(read)


def test_in_test_mode_a_person_sees_the_same_project(console: Console):
    project = console.found()
    assert console.ask("GET", project, Nofy_Mode=Mode.TEST.value).json["name"] == "Acme"
