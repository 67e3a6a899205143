"""What stands in a request is data: for PostgreSQL, for mail headers, for JSON, for the router and for browsers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.attacks.conftest import Answer, Api, Tenant

SQL = [
    "' OR '1'='1",
    "'; DROP TABLE notifications; --",
    "\\'; SELECT pg_sleep(5); --",
    "%(project_id)s",
    "%s%s%s%n",
    "$$; SELECT 1; $$",
    "'||(SELECT token_hash FROM api_keys LIMIT 1)||'",
    "a' UNION SELECT credential FROM integrations --",
    "'::uuid",
]
MESSAGE = {"to": {"slack_channel": "C0ATTACK"}, "channels": ["slack"], "content": {"text": "hello"}}
MAIL = {"to": {"email": "ada@example.com"}, "channels": ["email"], "content": {"subject": "s", "text": "t"}}
BREAKS = ["\r\nBcc: eve@example.com", "\nX-Evil: 1", "\r", "\x00", "\x1b[2J", "\x7f"]


def sent(api: Api, tenant: Tenant, body: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("POST", "/v1/notifications", body, tenant.api_token, named)


def rows(api: Api) -> int:
    """How many rows the tables hold that an injected statement would go for first."""
    tables = ("projects", "api_keys", "integrations", "memberships", "notifications", "deliveries")
    query = " UNION ALL ".join(f"SELECT count(*) FROM {each}" for each in tables)
    return sum(int(count) for (count,) in api.backend.superuser.run(query))


# SQL


@pytest.mark.parametrize("text", SQL)
def test_sql_in_a_field_is_stored_as_it_was_written(api: Api, ours: Tenant, text: str):
    body = MESSAGE | {"reference": text, "tags": [text], "metadata": {text: text}, "content": {"text": text}}
    accepted = sent(api, ours, body, Idempotency_Key=text)
    assert accepted.status == 202
    seen = api.ask("GET", accepted.json["links"]["self"], token=ours.api_token).json
    assert (seen["reference"], seen["tags"], seen["metadata"], seen["content"]) == (
        text,
        [text],
        {text: text},
        {"text": text},
    )


@pytest.mark.parametrize("text", SQL)
@pytest.mark.parametrize(
    "path",
    [
        *(
            f"/v1/notifications?{each}="
            for each in ("reference", "tag", "recipient", "cursor", "since", "status", "limit")
        ),
        *(f"/v1/dead-letters?{each}=" for each in ("fingerprint", "notification", "status", "channel", "cursor")),
        "/v1/stats?range=",
        "/v1/notifications/",
        "/v1/dead-letters/",
        "/v1/projects/{project_id}/audit-log?action=",
        "/v1/projects/{project_id}/integrations/",
    ],
)
def test_sql_in_an_address_finds_nothing_and_changes_nothing(api: Api, theirs: Tenant, path: str, text: str):
    before = rows(api)
    inside = quote(text, safe="") if "?" in path else text
    answer = api.ask("GET", theirs.path(path) + inside, token=theirs.api_token)
    assert answer.status in (200, 404, 422)
    assert not [found for found in _lists(answer.json) if found]
    assert rows(api) == before


@pytest.mark.parametrize("text", SQL)
def test_sql_in_what_the_console_is_told_is_a_name_or_is_refused(api: Api, ours: Tenant, text: str):
    made = api.ask("POST", "/v1/projects", {"name": text}, ours.token)
    assert (made.status, made.json["name"]) == (201, text)
    where = made.json["links"]["self"]
    slack = {"channel": "slack", "name": text, "settings": {"kind": "bot"}, "credential": "xoxb-attack-1234"}
    assert api.ask("POST", f"{where}/integrations", slack, ours.token).json["name"] == text
    token = {"name": text, "mode": "test", "scopes": ["read"]}
    assert api.ask("POST", f"{where}/tokens", token, ours.token).json["name"] == text
    assert api.ask("POST", "/v1/invitations/accept", {"token": text}, ours.token).told == (404, "not_found")
    erased = api.ask("DELETE", f"/v1/recipients?address={quote(text)}", None, ours.token, ours.headers)
    assert erased.told == (422, "invalid_request")
    selected = {"fingerprint": text, "max": 1, "reason": text}
    assert api.ask("POST", "/v1/dead-letters/discard", selected, ours.api_token).json["discarded"] == 0


def _lists(answer: dict[str, Any]) -> list[list[Any]]:
    return [value for name, value in answer.items() if isinstance(value, list) and name != "errors"]


# Headers


@pytest.mark.parametrize("text", BREAKS)
@pytest.mark.parametrize(
    "inside",
    [
        lambda text: {"subject": "Hello" + text, "text": "t"},
        lambda text: {"subject": "s", "text": "t", "email": {"subject": text + "s"}},
        lambda text: {"subject": "s", "text": "t", "email": {"reply_to": {"email": f"a@example.com{text}"}}},
        lambda text: {
            "subject": "s",
            "text": "t",
            "email": {"reply_to": {"email": "a@example.com", "name": f"A{text}"}},
        },
        lambda text: {"subject": "s", "text": "t", "email": {"headers": {"X-Reference": f"1{text}"}}},
        lambda text: {"subject": "s", "text": "t", "email": {"headers": {f"X-Reference{text}": "1"}}},
    ],
)
def test_a_line_break_begins_no_header_of_a_mail(api: Api, ours: Tenant, inside: Any, text: str):
    assert sent(api, ours, MAIL | {"content": inside(text)}).status in (400, 422)


@pytest.mark.parametrize("text", BREAKS)
def test_nor_in_an_address_a_sender_or_a_name(api: Api, ours: Tenant, text: str):
    for body in (MAIL | {"to": {"email": f"ada@example.com{text}"}}, MAIL | {"reference": f"1{text}"}):
        assert sent(api, ours, body).status in (400, 422)
    for sender in ({"email": f"a@b.example{text}"}, {"email": "a@b.example", "name": f"A{text}"}):
        settings = {"channel": "email", "name": "Mail", "settings": {"sender": sender}, "credential": "xkeysib-attack"}
        refused = api.ask("POST", ours.path("/v1/projects/{project_id}/integrations"), settings, ours.token)
        assert refused.status in (400, 422)
    assert api.ask("POST", "/v1/projects", {"name": f"A{text}B"}, ours.token).status in (400, 422)


@pytest.mark.parametrize("text", BREAKS)
def test_nor_in_a_key_or_a_credential(api: Api, ours: Tenant, text: str):
    assert sent(api, ours, MESSAGE, Idempotency_Key=f"key{text}").status in (400, 422)
    asked = len(api.vault.asked)
    slack = {"channel": "slack", "name": "x", "settings": {"kind": "bot"}, "credential": f"xoxb-1{text}"}
    where = ours.path("/v1/projects/{project_id}/integrations")
    assert api.ask("POST", where, slack, ours.token).status in (400, 422)
    assert len(api.vault.asked) == asked


# Templates and JSON


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "${7*7}", "{0.__class__}", "%(text)s", "<script>alert(1)</script>", "{{params.x}}", "$ref"]
)
def test_nothing_is_a_template_that_a_client_did_not_ask_for(api: Api, ours: Tenant, text: str):
    accepted = sent(api, ours, MESSAGE | {"content": {"text": text}, "metadata": {"x": text}}).json
    seen = api.ask("GET", accepted["links"]["self"], token=ours.api_token).json
    assert (seen["content"], seen["metadata"]) == ({"text": text}, {"x": text})


def test_keys_that_mean_something_elsewhere_mean_nothing_here(api: Api, ours: Tenant):
    odd = {"__proto__": {"admin": True}, "constructor": {"prototype": {}}, "$ref": "#/x", "__class__": "x", "": 1}
    accepted = sent(api, ours, MESSAGE | {"metadata": odd})
    assert (accepted.status, accepted.json["metadata"]) == (202, odd)
    for name, value in odd.items():
        assert sent(api, ours, MESSAGE | {name: value}).told == (422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"to": {}, "to": {"slack_channel": "C0ATTACK"}}', 400),
        ("[" * 100_000, 400),
        ('{"metadata":' * 100 + "1" + "}" * 100, 400),
        ('{"metadata": [' + "[]," * 30_000 + "[]]}", 400),
        ('{"text": "' + "x" * 300_000 + '"}', 413),
        ('{"n": ' + "9" * 5_000 + "}", 400),
        ('{"n": NaN}', 400),
        ('{"n": 1e999}', 400),
        ('"\\ud800"', 400),
        ('{"a": "\\u0000"}', 400),
        ("", 400),
        ("null", 422),
        ("{}garbage", 400),
        ("{'a': 1}", 400),
    ],
)
def test_a_body_that_is_a_bomb_or_a_riddle_is_refused(api: Api, ours: Tenant, body: str, status: int):
    for token, path in ((ours.api_token, "/v1/notifications"), (ours.token, "/v1/projects")):
        assert api.ask("POST", path, body, token).status == status
    assert api.ask("POST", "/v1/session", body).status == status


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1"])
def test_a_charset_changes_nothing_of_what_a_body_says(api: Api, ours: Tenant, encoding: str):
    """UTF-16 is JSON as well (RFC 4627), and then it is judged as what it says; everything else is no JSON."""
    import base64

    body = json.dumps(MESSAGE | {"content": {"text": "é"}, "evil": 1}, ensure_ascii=False).encode(encoding)
    more = {"isBase64Encoded": True}
    typed = {"Content-Type": f"application/json; charset={encoding}", "Content-Encoding": "gzip"}
    answer = api.ask("POST", "/v1/notifications", base64.b64encode(body).decode(), ours.api_token, typed, **more)
    assert answer.status in (400, 422)


def test_a_compressed_body_is_not_unpacked(api: Api, ours: Tenant):
    import base64
    import gzip

    bomb = base64.b64encode(gzip.compress(b" " * 10_000_000)).decode()
    answer = api.ask(
        "POST", "/v1/notifications", bomb, ours.api_token, {"Content-Encoding": "gzip"}, isBase64Encoded=True
    )
    assert answer.told == (400, "malformed_json")


# The router


@pytest.mark.parametrize(
    "path",
    [
        "/v1/notifications/../projects",
        "/v1/notifications/%2e%2e/projects",
        "/v1/projects/../notifications",
        "/v1/projects%2f..%2fnotifications",
        "/V1/NOTIFICATIONS",
        "//v1/notifications",
        "/v1//notifications",
        "/v1/./notifications",
        "/v1/notifications;a=b",
        "/v1/notifications.json",
        "/v1/notifications/\x00",
        "/v1/\u2024\u2024/x",
        "/v1/me/../../x",
        "/v1/session/..",
        "/",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_crooked_address_leads_nowhere(api: Api, ours: Tenant, method: str, path: str):
    for token in ("", ours.token, ours.api_token):
        answer = api.ask(method, path, None, token, ours.headers)
        assert answer.status in (401, 404)
        assert "notifications" not in answer.json


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"])
def test_the_method_is_the_requests_own(api: Api, ours: Tenant, name: str):
    path = ours.path("/v1/projects/{project_id}/integrations/{integration_id}")
    assert api.ask("GET", f"{path}?_method=DELETE", None, ours.token, {name: "DELETE"}).status == 200
    assert api.ask("GET", path, None, ours.token).status == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "HEAD", "PROPFIND"])
def test_a_method_that_no_route_has_is_no_route(api: Api, ours: Tenant, method: str):
    assert api.ask(method, "/v1/notifications", None, ours.api_token).told == (404, "no_such_route")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "http"},
        {"X-Original-URL": "/v1/me"},
        {"X-Rewrite-URL": "/v1/me"},
    ],
)
def test_no_header_moves_an_answer_or_a_link_elsewhere(api: Api, ours: Tenant, headers: dict[str, str]):
    answer = api.ask("GET", ours.path("/v1/notifications/{notification_id}"), None, ours.api_token, headers)
    assert answer.status == 200
    assert "evil.example" not in answer.text + str(answer.headers)
    invitation = {"role": "viewer"}
    made = api.ask("POST", ours.path("/v1/projects/{project_id}/invitations"), invitation, ours.token, headers)
    assert made.json["link"].startswith("https://console.example/")


# Browsers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://console.example.evil.example", "http://console.example", "*", ""],
)
def test_no_other_origins_page_reads_an_answer_or_is_told_that_it_may_ask(api: Api, ours: Tenant, origin: str):
    for function, path in (("producer", "/v1/notifications"), ("console", "/v1/me"), ("session", "/v1/session")):
        app = api.modules[function].app
        before, app._origins = app._origins, frozenset({"https://console.example"})
        try:
            for method in ("OPTIONS", "GET"):
                answer = api.ask(method, path, None, ours.token, {"Origin": origin, **ours.headers})
                assert not [each for each in answer.headers if each.startswith("Access-Control-")]
        finally:
            app._origins = before


def test_a_cookie_signs_nobody_in(api: Api, ours: Tenant):
    for name in ("Authorization", "token", "session", "a_session_nofy", "nofy"):
        for token in (ours.token, ours.api_token):
            answer = api.ask("GET", "/v1/notifications", None, "", {"Cookie": f"{name}={token}", **ours.headers})
            assert answer.told == (401, "unauthenticated")
    for path in (f"/v1/notifications?access_token={ours.api_token}", f"/v1/notifications?token={ours.token}"):
        assert api.ask("GET", path, None, "", ours.headers).told == (401, "unauthenticated")


def test_every_answer_forbids_to_be_sniffed_framed_and_kept(api: Api, ours: Tenant):
    for answer in (
        api.ask("GET", "/v1/notifications", None, ours.api_token),
        api.ask("GET", "/v1/me", None, ours.token),
        api.ask("POST", "/v1/session", {}),
        api.ask("GET", "/v1/nothing"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Type"] in ("application/json", "application/problem+json")
