"""Dead letters over the API: what a person does with them from a dashboard or a terminal."""

from __future__ import annotations

import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nofy.domain import tokens
from nofy.domain.dead_letters import DeadLetter, Kind
from nofy.domain.ids import Prefix, decode
from nofy.domain.lifecycle import Status
from nofy.domain.tokens import Mode
from nofy.runtime.api.openapi import document
from tests.functions.test_producer import SOUND, Answer, Api
from tests.unit.domain.examples import principal

NOBODYS = "dlt_01h455vb4pex5vsknk084sn02q"
EMAIL = SOUND | {"channels": ["email"]}


@pytest.fixture
def api(function, context) -> Api:
    return Api(function("producer"), context)


def fail(api: Api, reason: str = "no such mailbox", asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """A notification that ended as a dead letter, as its list shows it."""
    accepted = api.ask("POST", "/v1/notifications", asked or EMAIL).json
    fail_again(api, accepted["deliveries"][0]["id"], reason)
    return api.ask("GET", "/v1/dead-letters?limit=1").json["dead_letters"][0]


def fail_again(api: Api, delivery_id: str, reason: str) -> None:
    row = api.store.tables.deliveries[decode(Prefix.DELIVERY, delivery_id)]
    row.become(Status.FAILED, api.clock())
    row.reason = reason
    api.store.bury([DeadLetter(Kind.DELIVERY, reason, row.planned.delivery_id, row.attempt_no)])
    api.clock.advance(1)


def as_described(schema: str, answer: Answer, status: int = 200) -> Any:
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **document()})
    assert answer.status == status, answer.json
    assert not [each.message for each in validator.iter_errors(answer.json)]
    return answer.json


def test_failures_are_read_by_cause_and_one_by_one(api: Api):
    first, latest = fail(api, "no mailbox 17"), fail(api, "no mailbox 23")
    other = fail(api, "timed out")
    groups = as_described("DeadLetterGroupPage", api.ask("GET", "/v1/dead-letters/groups"))["groups"]
    assert [(each["count"], each["open"], each["sample"]["id"]) for each in groups] == [
        (1, 1, other["id"]),
        (2, 2, latest["id"]),
    ]
    of_group = as_described("DeadLetterPage", api.ask("GET", groups[1]["links"]["dead_letters"]))
    assert [each["id"] for each in of_group["dead_letters"]] == [latest["id"], first["id"]]
    assert as_described("DeadLetter", api.ask("GET", first["links"]["self"])) == first


def test_groups_have_a_cursor(api: Api):
    made = [fail(api, reason)["fingerprint"] for reason in ("one", "two", "three")]
    first = api.ask("GET", "/v1/dead-letters/groups?limit=2").json
    second = api.ask("GET", f"/v1/dead-letters/groups?limit=2&cursor={first['next_cursor']}").json
    assert [each["fingerprint"] for page in (first, second) for each in page["groups"]] == made[::-1]
    assert second["next_cursor"] is None


def test_the_list_is_filtered_by_status_and_channel(api: Api):
    kept, again, away = fail(api), fail(api), fail(api, asked=SOUND | {"channels": ["slack"]})
    api.ask("POST", again["links"]["redrive"])
    api.ask("POST", away["links"]["discard"], {"reason": "a mistake"})

    def listed(query: str) -> list[str]:
        return [each["id"] for each in api.ask("GET", f"/v1/dead-letters?{query}").json["dead_letters"]]

    assert [listed(f"status={each}") for each in ("open", "redriven", "discarded")] == [
        [kept["id"]],
        [again["id"]],
        [away["id"]],
    ]
    assert (listed("channel=slack"), listed("channel=email&status=discarded")) == ([away["id"]], [])


def test_a_preview_changes_nothing_and_a_redrive_does_what_it_said(api: Api):
    letters = [fail(api) for _ in range(3)]
    cause = {"fingerprint": letters[0]["fingerprint"]}
    before = api.ask("GET", "/v1/dead-letters").json
    seen = as_described("RedrivePreview", api.ask("POST", "/v1/dead-letters/redrive/preview", cause))
    assert seen == {
        "matching": 3,
        "redrivable": 3,
        "not_redrivable": 0,
        "past_expiry": 0,
        "recipients": {"count": 1, "sample": [{"channel": "email", "destination": "ada@example.com"}]},
    }
    assert api.ask("GET", "/v1/dead-letters").json == before

    asked = cause | {"max": 2, "per_second": 0.5}
    done = as_described("Redriven", api.ask("POST", "/v1/dead-letters/redrive", asked), 202)
    assert (done["redriven"], done["remaining"]) == (2, 1)
    due = sorted(row.due_at for row in api.store.tables.deliveries.values() if row.status is Status.RETRYING)
    assert (due[1] - due[0]).total_seconds() == 2
    assert done["last_due_at"] == due[1].isoformat(timespec="milliseconds")
    assert api.ask("POST", "/v1/dead-letters/redrive", asked).json["redriven"] == 1
    assert api.ask("POST", "/v1/dead-letters/redrive", asked).json == {
        "redriven": 0,
        "remaining": 0,
        "last_due_at": None,
    }


def test_a_selection_names_letters_by_id_and_by_time(api: Api):
    first, second, third = (fail(api) for _ in range(3))
    by_id = api.ask("POST", "/v1/dead-letters/redrive", {"ids": [second["id"], NOBODYS], "max": 10})
    assert (by_id.json["redriven"], by_id.json["remaining"]) == (1, 0)
    by_time = api.ask(
        "POST", "/v1/dead-letters/discard", {"created_before": third["created_at"], "max": 10, "reason": "r"}
    )
    assert as_described("Discarded", by_time) == {"discarded": 1, "remaining": 0}
    assert api.ask("GET", first["links"]["self"]).json["discard_reason"] == "r"


def test_one_is_redriven_to_another_address_and_the_timeline_says_so(api: Api):
    letter = fail(api)
    edit = {"to": {"email": "grace@example.com"}, "content": {"subject": "Again", "text": "Build 43"}}
    answer = as_described("DeadLetter", api.ask("POST", letter["links"]["redrive"], edit), 202)
    assert (answer["status"], answer["destination"], answer["redrive_no"]) == ("redriven", "grace@example.com", 1)
    seen = api.ask("GET", letter["links"]["notification"]).json
    assert seen["deliveries"][0]["destination"] == "grace@example.com"
    steps = {each["event"]: each["detail"] for each in seen["timeline"]}
    assert steps["edited"] == "destination was ada@example.com, another content"
    assert steps["redriven"] == f"after: no such mailbox ({letter['id']})"

    fail_again(api, letter["delivery_id"], "no such mailbox")
    latest = api.ask("GET", "/v1/dead-letters?limit=1").json["dead_letters"][0]
    assert (latest["previous"], latest["status"]) == (letter["id"], "open")


def test_an_edit_is_told_every_field_error_and_then_nothing_is_redriven(api: Api):
    letter = fail(api)
    edit = {"to": {"email": "grace", "phone": "+15550100"}, "content": {"text": "x"}, "urgent": True}
    refused = api.ask("POST", letter["links"]["redrive"], edit)
    assert refused.status == 422
    assert {(each["path"], each["code"]) for each in refused.json["errors"]} == {
        ("/to/email", "invalid"),
        ("/to/phone", "other_channel"),
        ("/content/subject", "required"),
        ("/urgent", "unknown_field"),
    }
    assert api.ask("GET", letter["links"]["self"]).json["status"] == "open"


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_a_redrive_without_an_edit_changes_nothing_else(api: Api, body: str | None):
    letter = fail(api)
    answer = api.ask("POST", letter["links"]["redrive"], body)
    assert (answer.status, answer.json["destination"]) == (202, letter["destination"])


def test_a_discarded_letter_is_not_redriven(api: Api):
    letter = fail(api)
    answer = as_described("DeadLetter", api.ask("POST", letter["links"]["discard"], {"reason": "a mistake"}))
    assert (answer["status"], answer["discard_reason"]) == ("discarded", "a mistake")
    assert api.ask("POST", letter["links"]["discard"], {"reason": "another"}).json["discard_reason"] == "a mistake"
    refused = api.ask("POST", letter["links"]["redrive"])
    assert (refused.status, refused.json["code"]) == (409, "not_redrivable")


def test_a_redriven_letter_is_not_discarded(api: Api):
    letter = fail(api)
    api.ask("POST", letter["links"]["redrive"])
    refused = api.ask("POST", letter["links"]["discard"], {"reason": "a mistake"})
    assert (refused.status, refused.json["code"]) == (409, "not_discardable")


def test_another_projects_dead_letter_does_not_exist(api: Api):
    letter = fail(api)
    theirs = tokens.generate(Mode.LIVE, random.Random(8).choice)
    stranger = principal(project_id=decode(Prefix.PROJECT, "prj_01h455vb4pex5vsknk084sn02q"), integrations=())
    api.store.add_key(tokens.digest(theirs), stranger)
    assert api.ask("GET", letter["links"]["self"], token=theirs).status == 404
    for path, body in (
        (letter["links"]["redrive"], {"content": {"text": "x"}}),
        (letter["links"]["discard"], {"reason": "r"}),
    ):
        assert api.ask("POST", path, body, token=theirs).status == 404
    one = {"ids": [letter["id"]], "max": 1}
    assert api.ask("POST", "/v1/dead-letters/redrive", one, token=theirs).json["redriven"] == 0
    assert api.ask("POST", "/v1/dead-letters/discard", one | {"reason": "r"}, token=theirs).json["discarded"] == 0


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("redrive/preview", {}, {("", "required")}),
        ("redrive/preview", {"ids": []}, {("/ids", "required")}),
        ("redrive/preview", {"ids": ["dlt_1", NOBODYS]}, {("/ids/0", "invalid")}),
        ("redrive/preview", {"ids": [NOBODYS] * 1_001}, {("/ids", "too_long")}),
        ("redrive/preview", {"channel": "sms", "max": 5}, {("/channel", "unknown_value"), ("/max", "unknown_field")}),
        ("redrive/preview", {"created_before": "yesterday"}, {("/created_before", "invalid")}),
        ("redrive", {"channel": "email"}, {("/max", "required")}),
        ("redrive", {"channel": "email", "max": 1_001}, {("/max", "invalid")}),
        ("redrive", {"channel": "email", "max": 0, "per_second": 0}, {("/max", "invalid"), ("/per_second", "invalid")}),
        ("discard", {"channel": "email", "max": 1}, {("/reason", "required")}),
        ("discard", {"channel": "email", "reason": ""}, {("/max", "required"), ("/reason", "invalid")}),
        (f"{NOBODYS}/discard", {"reason": "a\nb"}, {("/reason", "invalid")}),
        (f"{NOBODYS}/discard", {}, {("/reason", "required")}),
    ],
)
def test_a_request_is_told_everything_that_is_wrong_with_it(api: Api, path: str, body: Any, errors: set):
    answer = api.ask("POST", f"/v1/dead-letters/{path}", body)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert {(each["path"], each["code"]) for each in answer.json["errors"]} == errors


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/v1/dead-letters/{NOBODYS}", None, 404, "not_found"),
        ("GET", "/v1/dead-letters/junk", None, 404, "not_found"),
        ("GET", "/v1/dead-letters?status=lost", None, 422, "invalid_request"),
        ("GET", "/v1/dead-letters/groups?cursor=junk", None, 422, "invalid_request"),
        ("POST", f"/v1/dead-letters/{NOBODYS}/redrive", {"content": {"text": "x"}}, 404, "not_found"),
        ("POST", f"/v1/dead-letters/{NOBODYS}/redrive", "{", 400, "malformed_json"),
        ("POST", f"/v1/dead-letters/{NOBODYS}/discard", {"reason": "r"}, 404, "not_found"),
        ("POST", "/v1/dead-letters/junk/discard", {"reason": "r"}, 404, "not_found"),
        ("POST", "/v1/dead-letters/redrive", None, 400, "malformed_json"),
    ],
)
def test_what_cannot_be_done_is_a_problem_document(api: Api, method: str, path: str, body: Any, status: int, code: str):
    answer = api.ask(method, path, body)
    assert (answer.status, answer.json["code"]) == (status, code)


def test_a_notifications_own_letters_are_found_by_its_id(api: Api):
    mine, _ = fail(api), fail(api)
    path = f"/v1/dead-letters?notification={mine['notification_id']}"
    assert [each["id"] for each in api.ask("GET", path).json["dead_letters"]] == [mine["id"]]
    assert api.ask("GET", "/v1/dead-letters?notification=junk").status == 404
