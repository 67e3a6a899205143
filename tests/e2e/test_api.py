"""What the API answers through the real gateway: every error at once, and nothing half done."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from local.client import Client, RefusedError
from tests.e2e.test_sending import email, in_seconds, slack

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack


def refusal(call: Any) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value


def raw(stack: Stack, body: bytes, token: str | None = None) -> tuple[int, dict[str, Any], str]:
    """A POST of exactly these bytes: status, problem document and content type."""
    headers = {"authorization": f"Bearer {token or stack.api.token}", "content-type": "application/json"}
    request = urllib.request.Request(f"{stack.api.api_url}/v1/notifications", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers["content-type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers["content-type"]


def rows(stack: Stack) -> int:
    return int(stack.database.run("SELECT count(*) FROM notifications")[0][0])


def test_every_field_error_comes_at_once_and_nothing_is_stored(stack: Stack):
    before = rows(stack)
    body = {
        "to": {"email": "no address"},
        "channels": ["email", "sms", "whatsapp"],
        "content": {},
        "send_at": "2027-01-01T09:00:00",
        "colour": "red",
    }
    refused = refusal(lambda: stack.send(body))
    assert refused.status == 422
    assert {(each["path"], each["code"]) for each in refused.problem["errors"]} == {
        ("/to/email", "invalid"),
        ("/channels/1", "unknown_value"),
        ("/to/phone", "address_missing"),
        ("/content/subject", "required"),
        ("/content/text", "required"),
        ("/send_at", "offset_missing"),
        ("/colour", "unknown_field"),
    }
    assert rows(stack) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'"text"', 422, "invalid_request"),
        (json.dumps(email(metadata={"x": "y" * 300_000})).encode(), 413, "request_too_large"),
        (json.dumps(email(send_at=in_seconds(366 * 86_400))).encode(), 422, "invalid_request"),
    ],
)
def test_a_bad_body_is_a_problem_document(stack: Stack, body: bytes, status: int, code: str):
    answered, problem, content_type = raw(stack, body)
    assert (answered, problem["code"], content_type) == (status, code, "application/problem+json")
    assert problem["request_id"]


@pytest.mark.parametrize("token", ["", "junk", "nofy_live_" + "0" * 36])
def test_a_token_that_nobody_holds_is_refused(stack: Stack, token: str):
    refused = refusal(lambda: Client(stack.api.api_url, token).get("/v1/notifications"))
    assert (refused.status, refused.problem["code"]) == (401, "unauthenticated")


def test_somebody_elses_notification_is_not_found(stack: Stack):
    project = stack.operator("project", "create", "Other")["project_id"]
    stranger = Client(stack.api.api_url, stack.operator("token", "create", project)["token"])
    mine = stack.send(slack(send_at=in_seconds(3600)))
    for call in (
        lambda: stranger.get(mine["links"]["self"]),
        lambda: stranger.post(f"{mine['links']['self']}/cancel"),
        lambda: stranger.call("PATCH", mine["links"]["self"], {"send_at": in_seconds(60)}),
    ):
        assert refusal(call).status == 404
    assert stranger.get("/v1/notifications")["notifications"] == []
    assert refusal(lambda: stranger.post("/v1/notifications", slack())).problem["errors"] == [
        {
            "path": "/channels/0",
            "code": "integration_missing",
            "message": "this project has no integration for slack",
        }
    ]
    stack.api.post(f"{mine['links']['self']}/cancel")


def test_a_repeated_request_with_an_idempotency_key_is_answered_as_the_first_one_was(stack: Stack):
    request = slack("C0ONCEONLY", reference="order-1")
    first = stack.api.post("/v1/notifications", request, idempotency_key="order-1")
    assert stack.api.post("/v1/notifications", request, idempotency_key="order-1") == first
    other = refusal(lambda: stack.api.post("/v1/notifications", slack("C0OTHER"), idempotency_key="order-1"))
    assert (other.status, other.problem["code"]) == (422, "idempotency_key_reused")
    stack.ended(first)
    assert len(stack.calls("C0ONCEONLY")) == 1


def test_a_batch_answers_for_every_item_in_order(stack: Stack):
    answer = stack.api.post("/v1/notifications/batch", {"notifications": [slack(), {"to": {}}, email()]})
    assert answer["summary"] == {"accepted": 2, "refused": 1}
    assert [each["status"] for each in answer["results"]] == [202, 422, 202]
    assert {each["path"] for each in answer["results"][1]["error"]["errors"]} == {"/channels", "/content"}


def test_a_batch_of_nothing_good_is_refused_with_the_same_results(stack: Stack):
    refused = refusal(lambda: stack.api.post("/v1/notifications/batch", {"notifications": [{}, {}]}))
    assert (refused.status, refused.problem["code"]) == (422, "nothing_accepted")
    assert refused.problem["summary"] == {"accepted": 0, "refused": 2}


def test_a_list_is_filtered_and_paged_without_gaps(stack: Stack):
    sent = [stack.send(slack(tags=["paged"], send_at=in_seconds(3600)))["id"] for _ in range(5)]
    seen: list[str] = []
    path = "/v1/notifications?tag=paged&status=scheduled&channel=slack&limit=2"
    page = stack.api.get(path)
    while True:
        seen += [each["id"] for each in page["notifications"]]
        if page["next_cursor"] is None:
            break
        page = stack.api.get(f"{path}&cursor={page['next_cursor']}")
    assert seen == sent[::-1]
    for identifier in sent:
        stack.api.post(f"/v1/notifications/{identifier}/cancel")


def test_what_the_api_answers_is_what_its_openapi_document_says(stack: Stack):
    document = stack.api.get("/v1/openapi.json")
    notification = stack.send(email("nobody+reject@example.com", tags=["described"]))
    ended = stack.ended(notification)
    answers = {
        "Notification": notification,
        "NotificationWithTimeline": ended,
        "NotificationPage": stack.api.get("/v1/notifications?limit=3"),
        "Batch": stack.api.post("/v1/notifications/batch", {"notifications": [slack(), {}]}),
        "DeadLetterPage": stack.api.get("/v1/dead-letters"),
        "Problem": refusal(lambda: stack.send({})).problem,
    }
    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        errors = [
            f"{name}: {each.json_path} {each.message}" for each in Draft202012Validator(schema).iter_errors(answer)
        ]
        assert errors == []
