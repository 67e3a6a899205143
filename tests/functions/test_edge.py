"""What every request meets before its route, over the producer's own routes."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from nofy.domain import tokens
from nofy.domain.accounts import ActorKind, ProjectLimits
from nofy.domain.errors import StoreUnavailableError
from nofy.domain.ids import Prefix, encode
from nofy.domain.permissions import Role, Scope
from nofy.domain.tokens import Mode
from nofy.runtime.api import principals
from nofy.runtime.api.admission import UNAVAILABLE
from nofy.runtime.api.auditing import UNWRITTEN
from nofy.runtime.api.edge import LONGEST_TOKEN
from tests.functions.test_dead_letters import fail
from tests.functions.test_producer import POST, SOUND, TOKEN, Answer, Api
from tests.unit.domain.examples import NOTIFICATION, PROJECT

PROJECT_ID = encode(Prefix.PROJECT, PROJECT)
ELSEWHERE = "prj_01h455vb4pex5vsknk084sn02q"
ORIGIN = "https://console.example"
LIST = "/v1/notifications"


@pytest.fixture
def api(function, context) -> Api:
    return Api(function("producer"), context)


@pytest.fixture
def doors(api: Api) -> Api:
    """The same, with API tokens out of the doors' own book."""
    api.wire(api.store, api.schedule, tokens=api.doors)
    return api


def limited(api: Api, **limits: Any) -> str:
    """An API token of a project with these limits."""
    token = api.doors.token(PROJECT, *Scope)
    digest = tokens.digest(token)
    api.doors.holders[digest] = replace(api.doors.holders[digest], limits=ProjectLimits(**limits))
    return token


def told(output: str, metric: str) -> bool:
    return any(metric in json.loads(line) for line in output.splitlines())


# Who calls.


@pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER  {} "])
def test_an_api_tokens_holder_is_let_in(doors: Api, scheme: str):
    token = doors.doors.token(PROJECT, Scope.READ)
    assert doors.ask("GET", LIST, token=None, Authorization=scheme.format(token)).status == 200


JUNK = [
    "",
    "Bearer",
    "Bearer ",
    TOKEN,
    f"Basic {TOKEN}",
    f"Bearer {TOKEN[:-1]}x",
    "Bearer nofy_live_junk",
    "Bearer a.b",
]


@pytest.mark.parametrize("shown", [*JUNK, f"Bearer signed.{'x' * LONGEST_TOKEN}.here", "Bearer nobody.signed.this"])
def test_junk_is_refused_without_asking_the_database(doors: Api, shown: str):
    answer = doors.ask("GET", LIST, token=None, Authorization=shown, Nofy_Project=PROJECT_ID)
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert not doors.doors.loads


def test_a_token_that_nobody_holds_is_looked_up_once_and_again_when_it_may_have_been_made(doors: Api):
    stranger = tokens.generate(Mode.LIVE, random.Random(77).choice)
    assert [doors.ask("GET", LIST, token=stranger).status for _ in range(3)] == [401] * 3
    assert doors.doors.loads == 1
    doors.clock.advance(principals.LIFETIME.total_seconds())
    doors.ask("GET", LIST, token=stranger)
    assert doors.doors.loads == 2


def test_tokens_tried_by_the_thousand_push_out_nobody_else(doors: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(principals, "MOST", 3)
    held = doors.doors.token(PROJECT, Scope.READ)
    doors.ask("GET", LIST, token=held)
    for seed in range(10):
        doors.ask("GET", LIST, token=tokens.generate(Mode.LIVE, random.Random(seed).choice))
    assert doors.doors.loads == 11
    assert doors.ask("GET", LIST, token=held).status == 200
    assert doors.doors.loads == 11
    assert len(doors.edge._principals._refused._entries) == 3


def test_a_person_acts_in_the_project_and_the_mode_that_they_name(doors: Api):
    ada = doors.doors.person("ada", {PROJECT: Role.DEVELOPER})
    live = doors.ask("POST", LIST, SOUND, token=ada, Nofy_Project=PROJECT_ID)
    test = doors.ask("POST", LIST, SOUND, token=ada, nofy_project=PROJECT_ID, Nofy_Mode="test")
    assert (live.json["mode"], test.json["mode"]) == ("live", "test")
    assert [
        each["id"] for each in doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).json["notifications"]
    ] == [live.json["id"]]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, "project_missing"),
        ({"Nofy_Project": PROJECT_ID, "Nofy_Mode": "both"}, 400, "out_of_bounds"),
        ({"Nofy_Project": ELSEWHERE}, 404, "not_found"),
        ({"Nofy_Project": "junk"}, 404, "not_found"),
    ],
)
def test_a_person_names_a_project_of_theirs(doors: Api, headers: dict[str, str], status: int, code: str):
    ada = doors.doors.person("ada", {PROJECT: Role.OWNER})
    answer = doors.ask("GET", LIST, token=ada, **headers)
    assert (answer.status, answer.json["code"]) == (status, code)


def test_whoever_is_no_member_learns_no_more_than_that_there_is_no_such_project(doors: Api):
    doors.doors.person("ada", {PROJECT: Role.OWNER})
    stranger = doors.doors.person("eve")
    theirs, nobodys = (doors.ask("GET", LIST, token=stranger, Nofy_Project=each) for each in (PROJECT_ID, ELSEWHERE))
    assert theirs.json == nobodys.json
    assert {name for name in theirs.headers if name.startswith("RateLimit")} == {
        name for name in nobodys.headers if name.startswith("RateLimit")
    }


def test_a_stranger_who_tries_projects_by_the_thousand_is_slowed_down(doors: Api):
    stranger = doors.doors.person("eve")
    answers = [doors.ask("GET", LIST, token=stranger, Nofy_Project=ELSEWHERE).status for _ in range(201)]
    assert (set(answers[:200]), answers[200]) == ({404}, 429)


def test_an_expired_console_token_is_told_from_a_wrong_one(doors: Api):
    ada = doors.doors.person("ada", {PROJECT: Role.OWNER})
    doors.doors.expired.add(ada)
    answer = doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID)
    assert (answer.status, answer.json["code"], answer.headers["WWW-Authenticate"]) == (401, "token_expired", "Bearer")


def test_without_an_issuer_there_are_no_console_tokens(doors: Api):
    ada = doors.doors.person("ada", {PROJECT: Role.OWNER})
    doors.wire(doors.store, doors.schedule, tokens=doors.doors, people=False)
    assert doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).status == 401


def test_an_api_token_works_in_its_own_project_only_whatever_the_header_says(doors: Api):
    token = doors.doors.token(PROJECT, *Scope)
    assert doors.ask("GET", LIST, token=token, Nofy_Project=PROJECT_ID).status == 200
    assert doors.ask("GET", LIST, token=token, Nofy_Project=ELSEWHERE).status == 404


def test_what_is_not_allowed_is_a_403_that_names_the_permission(doors: Api):
    answer = doors.ask("POST", LIST, "no JSON", token=doors.doors.token(PROJECT, Scope.READ))
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert answer.json["permission"] == "notifications:send"


# What is remembered of it.


def test_a_cached_principal_is_not_loaded_again_for_twenty_seconds(doors: Api):
    token, ada = doors.doors.token(PROJECT, Scope.READ), doors.doors.person("ada", {PROJECT: Role.VIEWER})
    for _ in range(3):
        doors.ask("GET", LIST, token=token)
        doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID)
    assert doors.doors.loads == 2
    doors.clock.advance(20)
    doors.ask("GET", LIST, token=token)
    assert doors.doors.loads == 3


def test_a_persons_modes_are_remembered_apart(doors: Api):
    ada = doors.doors.person("ada", {PROJECT: Role.DEVELOPER})
    modes = [
        doors.ask("POST", LIST, SOUND, token=ada, Nofy_Project=PROJECT_ID, Nofy_Mode=mode).json["mode"]
        for mode in ("live", "test", "live")
    ]
    assert modes == ["live", "test", "live"]


def test_a_revoked_token_stops_at_once_where_redis_tells_of_it(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    assert doors.ask("GET", LIST, token=token).status == 200
    doors.doors.holders.clear()
    doors.quotas.changed(PROJECT)
    assert doors.ask("GET", LIST, token=token).status == 401


def test_a_revoked_token_stops_within_half_a_minute_where_redis_does_not(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    doors.quotas.down = True
    assert doors.ask("GET", LIST, token=token).status == 200
    doors.doors.holders.clear()
    doors.clock.advance(19)
    assert doors.ask("GET", LIST, token=token).status == 200
    doors.clock.advance(1)
    assert doors.ask("GET", LIST, token=token).status == 401


def test_somebody_put_out_of_a_project_is_out_at_once(doors: Api):
    ada = doors.doors.person("ada", {PROJECT: Role.OWNER})
    assert doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).status == 200
    doors.doors.roles.clear()
    doors.quotas.changed(PROJECT)
    assert doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).status == 404


def test_whoever_was_let_in_a_moment_ago_is_let_in_now(doors: Api):
    ada = doors.doors.person("ada")
    assert doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).status == 404
    doors.doors.person("ada", {PROJECT: Role.VIEWER})
    assert doors.ask("GET", LIST, token=ada, Nofy_Project=PROJECT_ID).status == 200


def test_a_change_is_loaded_once_by_everybody_who_had_it_cached(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    doors.ask("GET", LIST, token=token)
    doors.quotas.changed(PROJECT)
    for _ in range(3):
        doors.ask("GET", LIST, token=token)
    assert doors.doors.loads == 2


def test_what_was_loaded_while_redis_was_away_is_loaded_again_when_it_is_back(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    doors.quotas.down = True
    doors.ask("GET", LIST, token=token)
    doors.quotas.down = False
    doors.doors.holders.clear()
    doors.clock.advance(1)
    assert doors.ask("GET", LIST, token=token).status == 401


def test_a_token_ends_at_its_time_though_it_is_cached(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    digest = tokens.digest(token)
    ends = doors.clock() + principals.LIFETIME / 2
    doors.doors.holders[digest] = replace(doors.doors.holders[digest], valid_until=ends)
    assert doors.ask("GET", LIST, token=token).status == 200
    doors.doors.holders.clear()
    doors.clock.advance(principals.LIFETIME.total_seconds() / 2)
    assert doors.ask("GET", LIST, token=token).status == 401


# How much they ask for.


def test_every_authenticated_answer_tells_what_is_left(doors: Api):
    token = limited(doors, requests_per_second=2, burst=3)
    answers = [doors.ask("GET", path, token=token) for path in (LIST, f"{LIST}/junk", LIST, LIST)]
    assert [each.status for each in answers] == [200, 404, 200, 429]
    shown = [tuple(each.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")) for each in answers]
    assert shown == [("3", "2", "1"), ("3", "1", "1"), ("3", "0", "2"), ("3", "0", "2")]
    assert (answers[3].json["code"], answers[3].headers["Retry-After"]) == ("rate_limited", "1")
    doors.clock.advance(0.5)
    assert doors.ask("GET", LIST, token=token).status == 200


def test_whoever_asks_too_much_costs_the_database_nothing(doors: Api):
    token = limited(doors, requests_per_second=1, burst=1)
    doors.ask("GET", LIST, token=token)
    doors.clock.advance(0.5)
    doors.doors.loads = 0
    doors.quotas.changed(PROJECT)
    assert doors.ask("GET", LIST, token=token).status == 429
    assert not doors.doors.loads


def test_nor_does_a_second_token_of_a_project_that_asks_too_much(doors: Api):
    first, second = (limited(doors, requests_per_second=0.01, burst=1) for _ in range(2))
    doors.ask("GET", LIST, token=first)
    assert [doors.ask("GET", LIST, token=second).status for _ in range(3)] == [429] * 3
    assert doors.doors.loads == 2


def test_one_projects_hunger_is_not_anothers(doors: Api):
    greedy = limited(doors, requests_per_second=1, burst=1)
    modest = doors.doors.token(NOTIFICATION, Scope.READ)
    assert [doors.ask("GET", LIST, token=greedy).status for _ in range(2)] == [200, 429]
    assert doors.ask("GET", LIST, token=modest).status == 200


def test_a_redis_that_is_down_limits_nobody_and_is_told_of(doors: Api, capsys: pytest.CaptureFixture[str]):
    token = limited(doors, requests_per_second=1, burst=1, notifications_per_day=1)
    doors.quotas.down = True
    assert [doors.ask("POST", LIST, SOUND, token=token).status for _ in range(2)] == [202, 202]
    assert told(capsys.readouterr().out, UNAVAILABLE)


def test_a_redis_that_is_down_is_asked_once_a_second_and_not_by_every_request(doors: Api):
    token = doors.doors.token(PROJECT, Scope.READ)
    doors.quotas.down = True
    doors.ask("GET", LIST, token=token)
    doors.quotas.down = False
    for _ in range(3):
        doors.ask("GET", LIST, token=token)
    assert doors.quotas.trips == 0
    doors.clock.advance(1)
    doors.ask("GET", LIST, token=token)
    assert doors.quotas.trips == 1


def test_a_days_quota_is_spent_by_what_is_accepted_and_begins_anew_at_midnight(doors: Api):
    token = limited(doors, notifications_per_day=3)
    batch = {"notifications": [SOUND, {}, SOUND]}
    assert doors.ask("POST", LIST, {}, token=token).status == 422
    assert doors.ask("POST", f"{LIST}/batch", batch, token=token).status == 202
    refused = doors.ask("POST", f"{LIST}/batch", batch, token=token)
    assert (refused.status, refused.json["code"]) == (429, "quota_exceeded")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert doors.ask("POST", LIST, SOUND, token=token).status == 202
    assert doors.ask("POST", LIST, SOUND, token=token).status == 429
    doors.clock.advance(int(refused.headers["Retry-After"]))
    assert doors.ask("POST", LIST, SOUND, token=token).status == 202


def test_a_replay_is_not_charged_twice(doors: Api):
    token = limited(doors, notifications_per_day=2)
    answers = [doors.ask("POST", LIST, SOUND, token=token, Idempotency_Key="one") for _ in range(3)]
    assert [each.status for each in answers] == [202] * 3
    assert doors.ask("POST", LIST, SOUND, token=token).status == 202
    assert doors.ask("POST", LIST, SOUND, token=token).status == 429


def test_what_could_not_be_stored_is_not_charged(doors: Api):
    class Down:
        def accept(self, *_: Any) -> Any:
            raise StoreUnavailableError("gone")

    token = limited(doors, notifications_per_day=1)
    doors.wire(Down(), doors.schedule, tokens=doors.doors)
    assert doors.ask("POST", LIST, SOUND, token=token).status == 503
    doors.wire(doors.store, doors.schedule, tokens=doors.doors)
    assert doors.ask("POST", LIST, SOUND, token=token).status == 202


# What an answer tells a browser.

EVERY_ANSWER = [("GET", LIST), ("POST", LIST), ("GET", "/nowhere"), ("GET", "/v1/openapi.json"), ("OPTIONS", LIST)]


@pytest.mark.parametrize(("method", "path"), [*EVERY_ANSWER, ("GET", f"{LIST}?tag={'x' * 5000}")])
def test_every_answer_has_the_headers_that_keep_browsers_from_harm(api: Api, method: str, path: str):
    headers = api.ask(method, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_an_unforeseen_error_has_them_too(api: Api):
    class Broken:
        def principal(self, _: bytes) -> Any:
            raise ZeroDivisionError

    api.wire(Broken(), api.schedule, origins=[ORIGIN])
    answer = api.ask("GET", LIST, Origin=ORIGIN)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (500, ORIGIN)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), EVERY_ANSWER)
def test_a_configured_origins_page_may_read_every_answer(api: Api, method: str, path: str):
    api.wire(api.store, api.schedule, origins=[ORIGIN])
    headers = api.ask(method, path, Origin=ORIGIN).headers
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (ORIGIN, "Origin")
    assert "Idempotency-Replayed" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://console.example", f"{ORIGIN}.evil.example", f"{ORIGIN}:8443", "null", "*"],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_other_page_may(api: Api, origin: str, method: str):
    api.wire(api.store, api.schedule, origins=[ORIGIN])
    headers = api.ask(method, LIST, Origin=origin).headers
    assert not [each for each in headers if each.startswith("Access-Control-")]
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_without_configured_origins_nobody_elses_page_may(api: Api, method: str):
    headers = api.ask(method, LIST, Origin=ORIGIN).headers
    assert not [each for each in headers if each.startswith(("Access-Control-", "Vary"))]


@pytest.mark.parametrize("path", [LIST, "/v1/dead-letters/x/redrive", "/v1/projects", "/nowhere"])
def test_a_browsers_question_beforehand_is_answered_without_a_token(api: Api, path: str):
    api.wire(api.store, api.schedule, origins=[ORIGIN])
    answer = api.ask("OPTIONS", path, token=None, Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (answer.status, answer.json) == (204, None)
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert allowed == ["Authorization", "Content-Type", "Idempotency-Key", "Nofy-Project", "Nofy-Mode"]
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


# What no request needs.


def test_a_query_or_a_header_that_nobody_needs_is_refused_before_anything_is_read(doors: Api):
    long_query = doors.ask("GET", f"{LIST}?tag={'x' * 5000}", token=None)
    long_header = doors.ask("GET", LIST, token=None, X_Filler="x" * 9000)
    for answer in (long_query, long_header):
        assert (answer.status, answer.json["code"]) == (400, "out_of_bounds")
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_many_small_query_parameters_are_one_long_query(api: Api):
    asked = deepcopy(POST) | {"httpMethod": "GET", "headers": {"Authorization": f"Bearer {TOKEN}"}, "body": None}
    asked["multiValueQueryStringParameters"] = {"tag": ["x" * 100] * 50}
    assert Answer(api.raw(asked)).json["code"] == "out_of_bounds"


# What people did.


def test_what_a_person_does_to_a_delivery_stands_in_the_projects_log(doors: Api):
    doors.doors.person("grace", {PROJECT: Role.DEVELOPER})
    ada = doors.doors.person("ada", {PROJECT: Role.DEVELOPER})
    as_ada: dict[str, Any] = {"token": ada, "Nofy_Project": PROJECT_ID}
    path = doors.ask("POST", LIST, SOUND, **as_ada).json["links"]["self"]
    doors.ask("PATCH", path, {"send_at": "2026-06-01T09:00:00Z"}, **as_ada)
    doors.ask("POST", f"{path}/cancel", **as_ada)
    assert doors.ask("PATCH", path, {"send_at": "2026-06-02T09:00:00Z"}, **as_ada).status == 409
    entries = [entry for _, entry in doors.audit.entries]
    assert [each.action for each in entries] == ["notification.moved", "notification.cancelled"]
    assert {(each.actor.kind, each.actor.name) for each in entries} == {(ActorKind.USER, "Ada")}
    assert {f"{LIST}/{each.target}" for each in entries} == {path}
    assert entries[0].details == {"send_at": "2026-06-01T09:00:00+00:00", "mode": "live"}
    assert {each.request_id for each in entries} == {doors.context.aws_request_id}
    assert {project for project, _ in doors.audit.entries} == {PROJECT}


def test_dead_letters_put_away_or_sent_again_stand_there_one_by_one_for_people_and_in_bulk_for_all(api: Api):
    as_ada: dict[str, Any] = {"token": api.doors.person("ada", {PROJECT: Role.ADMIN}), "Nofy_Project": PROJECT_ID}
    first, second, third = (fail(api)["id"] for _ in range(3))
    api.ask("POST", f"/v1/dead-letters/{first}/redrive", **as_ada)
    api.ask("POST", f"/v1/dead-letters/{second}/discard", {"reason": "old"}, **as_ada)
    fourth = fail(api)["id"]
    api.ask("POST", f"/v1/dead-letters/{fourth}/discard", {"reason": "a server's business"})
    api.ask("POST", "/v1/dead-letters/redrive", {"ids": [third], "max": 5})
    api.ask("POST", "/v1/dead-letters/discard", {"channel": "email", "max": 5, "reason": "enough"})
    log = [(each.action, each.target, each.actor.kind) for _, each in api.audit.entries]
    assert log == [
        ("dead_letter.redriven", first, ActorKind.USER),
        ("dead_letter.discarded", second, ActorKind.USER),
        ("dead_letters.redriven", PROJECT_ID, ActorKind.TOKEN),
        ("dead_letters.discarded", PROJECT_ID, ActorKind.TOKEN),
    ]
    assert api.audit.entries[2][1].details["asked"]["ids"] == 1
    assert api.audit.entries[2][1].details["redriven"] == 1


def test_what_is_done_is_answered_though_the_log_cannot_be_written_and_somebody_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def gone(*_: Any) -> None:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(api.audit, "note", gone)
    fail(api)
    assert api.ask("POST", "/v1/dead-letters/redrive", {"channel": "email", "max": 5}).status == 202
    assert told(capsys.readouterr().out, UNWRITTEN)
