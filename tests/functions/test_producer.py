"""The API as API Gateway calls it, over a store in memory."""

from __future__ import annotations

import base64
import json
import random
import threading
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nofy.domain import tokens
from nofy.domain.errors import ScheduleUnavailableError, StoreUnavailableError
from nofy.domain.ids import Prefix, decode
from nofy.domain.lifecycle import Status
from nofy.domain.tokens import Mode
from nofy.pipeline.amend import Amender
from nofy.runtime.api import dead_letters, description, notifications, statistics
from nofy.runtime.api.admission import Admission
from nofy.runtime.api.application import Application, Ports
from nofy.runtime.api.auditing import Auditing
from nofy.runtime.api.edge import Edge
from nofy.runtime.api.openapi import document
from nofy.runtime.api.routes import Function
from tests.fakes import CountingIds, ManualClock, MemorySchedule, MemoryStore
from tests.fakes.erasure import erase
from tests.fakes.quotas import MemoryQuotas
from tests.functions.conftest import event
from tests.functions.doors import Doors, MemoryAudit
from tests.unit.domain.examples import principal

TOKEN = tokens.generate(Mode.LIVE, random.Random(3).choice)
POST = event("api_post_notification")
SOUND = json.loads(POST["body"])


class Api:
    """The producer's own handler and routes, with its ports replaced by memory."""

    def __init__(self, module: Any, context: Any) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.schedule = MemorySchedule(self.clock)
        self.store.add_key(tokens.digest(TOKEN), principal())
        self.quotas, self.doors, self.audit = MemoryQuotas(), Doors(), MemoryAudit()
        self.module, self.context = module, context
        self.wire(self.store, self.schedule)

    def wire(self, store: Any, schedule: Any, *, tokens: Any = None, origins: Any = (), people: bool = True) -> None:
        amender, ids = Amender(store, self.store, schedule, self.clock), CountingIds(self.clock)
        admission, verify = Admission(self.quotas, self.clock, Function.PRODUCER), self.doors.verify if people else None
        self.edge = Edge(tokens or store, self.doors, verify, admission, self.clock)
        auditing = Auditing(self.audit, self.clock, ids)
        ports = Ports(self.edge, admission, auditing, store, self.store, schedule, amender, self.clock, ids.born_at)
        self.module.app = Application(origins)
        for each in (notifications, dead_letters, statistics, description):
            each.register(self.module.app, ports)

    def raw(self, asked: dict[str, Any]) -> dict[str, Any]:
        return dict(self.module.handler(asked, self.context))

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **headers: str) -> Answer:
        asked = deepcopy(POST)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {token}"} if token else {}
        path, _, query = path.partition("?")
        asked |= {"httpMethod": method, "path": path, "headers": {"Accept": "*/*", **named}, "multiValueHeaders": None}
        asked |= {"body": body if isinstance(body, str | None) else json.dumps(body)}
        asked |= {"queryStringParameters": dict(each.split("=", 1) for each in query.split("&")) if query else None}
        asked["multiValueQueryStringParameters"] = None
        return Answer(self.raw(asked))


class Answer:
    """What API Gateway gets back."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status = raw["statusCode"]
        self.headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        self.json = json.loads(raw["body"]) if raw["body"] else None
        raw["body"].encode()  # Lambda could not return anything else


@pytest.fixture
def api(function, context) -> Api:
    return Api(function("producer"), context)


def test_a_notification_is_accepted_and_stored_and_indexed(api: Api):
    asked = deepcopy(POST)
    asked["headers"]["Authorization"] = f"Bearer {TOKEN}"
    answer = Answer(api.raw(asked))
    assert answer.status == 202
    assert (answer.json["status"], answer.json["priority"]) == ("scheduled", "normal")
    assert answer.json["content"]["text"] == "Build 42 is live: Grüße 👋"
    stored = {each.planned.delivery_id for each in api.store.tables.deliveries.values()}
    assert {decode(Prefix.DELIVERY, each["id"]) for each in answer.json["deliveries"]} == stored
    assert {each for lane in api.schedule.due.values() for each in lane} == stored


def test_what_was_answered_is_what_is_read_back(api: Api):
    accepted = api.ask("POST", "/v1/notifications", SOUND).json
    read = api.ask("GET", accepted["links"]["self"])
    assert read.status == 200
    assert read.json.pop("timeline")[0]["event"] == "accepted"
    shown = {each["channel"]: each.pop("content") for each in read.json["deliveries"]}
    assert shown["whatsapp"] == {"text": SOUND["content"]["text"], "preview_url": False}
    assert read.json == accepted


def test_a_list_is_read_in_pages_newest_first(api: Api):
    made = [api.ask("POST", "/v1/notifications", SOUND).json["id"] for _ in range(3)]
    first = api.ask("GET", "/v1/notifications?limit=2").json
    second = api.ask("GET", f"/v1/notifications?limit=2&cursor={first['next_cursor']}").json
    listed = [each["id"] for page in (first, second) for each in page["notifications"]]
    assert listed == made[::-1]
    assert second["next_cursor"] is None


def test_the_documented_get_event_is_understood(api: Api):
    asked = event("api_get_notifications")
    asked["headers"]["Authorization"] = f"Bearer {TOKEN}"
    assert Answer(api.raw(asked)).json == {"notifications": [], "next_cursor": None}


def test_the_answer_of_a_batch_is_written_while_its_rows_are_stored(api: Api, monkeypatch: pytest.MonkeyPatch):
    written, accept = threading.Event(), api.store.accept

    def stored(*asked: Any) -> Any:
        assert written.wait(10), "nobody wrote the answer before the rows were stored"
        return accept(*asked)

    document = notifications.resource
    monkeypatch.setattr(notifications, "resource", lambda view: (written.set(), document(view))[1])
    monkeypatch.setattr(api.store, "accept", stored)
    answer = api.ask("POST", "/v1/notifications/batch", {"notifications": [SOUND, SOUND]})
    assert (answer.status, answer.json["summary"]) == (202, {"accepted": 2, "refused": 0})


def test_a_batch_that_cannot_be_stored_is_not_answered_as_if_it_were(api: Api, monkeypatch: pytest.MonkeyPatch):
    def away(*asked: Any) -> Any:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(api.store, "accept", away)
    assert api.ask("POST", "/v1/notifications/batch", {"notifications": [SOUND, SOUND]}).status == 503
    monkeypatch.undo()
    assert api.ask("POST", "/v1/notifications/batch", {"notifications": [SOUND, SOUND]}).status == 202


def test_a_batch_is_judged_item_by_item(api: Api):
    answer = api.ask("POST", "/v1/notifications/batch", {"notifications": [SOUND, {"channels": []}, SOUND]})
    assert answer.status == 202
    assert [each["status"] for each in answer.json["results"]] == [202, 422, 202]
    assert answer.json["summary"] == {"accepted": 2, "refused": 1}


def test_a_notification_can_be_moved_and_cancelled_while_it_waits(api: Api):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"]
    moved = api.ask("PATCH", path, {"send_at": "2026-06-01T09:00:00Z"})
    assert (moved.status, moved.json["send_at"]) == (200, "2026-06-01T09:00:00.000+00:00")
    assert api.ask("POST", f"{path}/cancel").json["status"] == "cancelled"
    assert api.ask("PATCH", path, {"send_at": "2026-06-02T09:00:00Z"}).json["code"] == "not_movable"


@pytest.mark.parametrize("send_at", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"])
def test_a_notification_cannot_be_moved_out_of_the_calendar(api: Api, send_at: str):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"]
    answer = api.ask("PATCH", path, {"send_at": send_at})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "too_far_ahead")


def test_a_list_is_filtered_by_everything_that_its_address_says(api: Api):
    odd = SOUND | {
        "priority": "high",
        "reference": "order-7",
        "tags": ["digest"],
        "to": SOUND["to"] | {"email": "b@x.io"},
    }
    api.ask("POST", "/v1/notifications", SOUND)
    api.clock.advance(10)
    begun = api.clock()
    one = api.ask("POST", "/v1/notifications", odd).json["id"]
    api.clock.advance(10)
    ended = api.clock()
    api.ask("POST", "/v1/notifications", SOUND)
    since, until = (each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (begun, ended))
    for query in (
        "priority=high",
        "reference=order-7",
        "tag=digest",
        "recipient=b@x.io",
        f"since={since}&until={until}",
    ):
        assert [each["id"] for each in api.ask("GET", f"/v1/notifications?{query}").json["notifications"]] == [one], (
            query
        )
    assert api.ask("GET", "/v1/notifications?since=yesterday").json["errors"][0]["path"] == "?/since"
    assert api.ask("GET", "/v1/notifications?since=0001-01-01T00:00:00Z&until=1234-01-01T00:00:00Z").status == 200


def test_a_notification_is_sent_again_as_a_new_one_due_at_once(api: Api):
    asked = SOUND | {"reference": "order-7", "tags": ["digest"], "metadata": {"n": 1}}
    asked |= {"send_at": "2026-06-01T09:00:00Z"}
    first = api.ask("POST", "/v1/notifications", asked).json
    api.clock.advance(60)
    again = api.ask("POST", f"{first['links']['self']}/send-again")
    assert again.status == 202
    kept = ("to", "content", "class", "priority", "delivery_mode", "reference", "tags", "metadata", "mode")
    assert {name: again.json[name] for name in kept} == {name: first[name] for name in kept}
    assert [each["channel"] for each in again.json["deliveries"]] == [each["channel"] for each in first["deliveries"]]
    assert again.json["id"] != first["id"]
    assert again.json["send_at"] == again.json["created_at"] > first["created_at"]
    assert api.ask("GET", again.json["links"]["self"]).json["status"] == "scheduled"
    assert api.ask("GET", first["links"]["self"]).json["send_at"] == first["send_at"]


def test_sending_again_with_a_key_sends_once(api: Api):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"] + "/send-again"
    first, second = (api.ask("POST", path, Idempotency_Key="again-1") for _ in range(2))
    assert (first.json, second.headers["Idempotency-Replayed"]) == (second.json, "true")
    assert len(api.store.tables.notifications) == 2


def test_what_was_erased_cannot_be_sent_again(api: Api):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"]
    for row in api.store.tables.notifications.values():
        erase(api.store.tables, [row], api.clock())
    answer = api.ask("POST", f"{path}/send-again")
    assert (answer.status, answer.json["code"]) == (409, "content_erased")
    assert len(api.store.tables.notifications) == 1


def test_what_cannot_be_sent_any_more_is_not_sent_again(api: Api):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"]
    api.store.tables.integrations.clear()
    api.clock.advance(60)  # who calls, and with what they can send, is remembered for a while
    answer = api.ask("POST", f"{path}/send-again")
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "integration_missing")


def test_a_request_with_a_key_is_answered_once(api: Api):
    first = api.ask("POST", "/v1/notifications", SOUND, Idempotency_Key="order-1")
    again = api.ask("POST", "/v1/notifications", " " + json.dumps(SOUND), idempotency_key="order-1")
    other = api.ask("POST", "/v1/notifications", SOUND | {"reference": "x"}, Idempotency_Key="order-1")
    assert (first.status, again.status, again.headers["Idempotency-Replayed"]) == (202, 202, "true")
    assert again.json == first.json
    assert "Idempotency-Replayed" not in first.headers
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(api.store.tables.notifications) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_is_one_to_255_printable_characters(api: Api, key: str):
    answer = api.ask("POST", "/v1/notifications", SOUND, Idempotency_Key=key)
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/notifications", None, 400, "malformed_json"),
        ("POST", "/v1/notifications", "{", 400, "malformed_json"),
        ("POST", "/v1/notifications", '{"text": "\\ud800"}', 400, "malformed_json"),
        ("POST", "/v1/notifications", "[" * 200_000, 400, "malformed_json"),
        ("POST", "/v1/notifications", '"' + "x" * 300_000 + '"', 413, "request_too_large"),
        ("POST", "/v1/notifications", "{}", 422, "invalid_request"),
        ("POST", "/v1/notifications", '{"channels": [], "content": {"text": "x"}}', 422, "invalid_request"),
        ("POST", "/v1/notifications", "null", 422, "invalid_request"),
        ("POST", "/v1/notifications/batch", '{"notifications": [{}, null, 5]}', 422, "nothing_accepted"),
        ("GET", "/v1/notifications/junk", None, 404, "not_found"),
        ("GET", "/v1/notifications/ntf_01h455vb4pex5vsknk084sn02q", None, 404, "not_found"),
        ("GET", "/v1/notifications?limit=0", None, 422, "invalid_request"),
        ("GET", "/v1/notifications?limit=many", None, 422, "invalid_request"),
        ("GET", "/v1/notifications?cursor=junk", None, 422, "invalid_request"),
        ("GET", "/v1/notifications?status=lost", None, 422, "invalid_request"),
        ("GET", "/v1/notifications?colour=red", None, 422, "invalid_request"),
        ("GET", "/v1/notifications?reference=a\0b", None, 422, "invalid_request"),
        (
            "PATCH",
            "/v1/notifications/ntf_01h455vb4pex5vsknk084sn02q",
            '{"send_at": "2026-06-01T09:00:00Z"}',
            404,
            "not_found",
        ),
        ("POST", "/v1/notifications/ntf_01h455vb4pex5vsknk084sn02q/cancel", None, 404, "not_found"),
        ("POST", "/v1/notifications/ntf_01h455vb4pex5vsknk084sn02q/send-again", None, 404, "not_found"),
        ("POST", "/v1/notifications/junk/send-again", None, 404, "not_found"),
        ("POST", "/v1/dead-letters/dlt_01h455vb4pex5vsknk084sn02q/redrive", None, 404, "not_found"),
        ("POST", "/v1/dead-letters/junk/redrive", None, 404, "not_found"),
        ("DELETE", "/v1/notifications", None, 404, "no_such_route"),
        ("GET", "/", None, 404, "no_such_route"),
        ("GET", "/v2/notifications", None, 404, "no_such_route"),
    ],
)
def test_what_cannot_be_done_is_a_problem_document(api: Api, method: str, path: str, body: Any, status: int, code: str):
    answer = api.ask(method, path, body)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["request_id"] == api.context.aws_request_id
    assert not api.store.tables.notifications


@pytest.mark.parametrize("token", [None, "junk", TOKEN[:-1] + "_", tokens.generate(Mode.LIVE, random.Random(9).choice)])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/notifications"), ("GET", "/v1/dead-letters")])
def test_nobody_gets_in_without_a_token(api: Api, token: str | None, method: str, path: str):
    answer = api.ask(method, path, SOUND, token=token)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_body_that_api_gateway_took_for_binary_is_read_all_the_same(api: Api):
    asked = deepcopy(POST) | {"isBase64Encoded": True}
    asked["headers"]["Authorization"] = f"Bearer {TOKEN}"
    asked["body"] = base64.b64encode(json.dumps(SOUND, ensure_ascii=False).encode()).decode()
    assert Answer(api.raw(asked)).status == 202
    asked["body"] = base64.b64encode(b"\xff\xfe\xfa\x00").decode()
    assert Answer(api.raw(asked)).status == 400


def test_a_redis_that_is_down_does_not_break_the_promise(api: Api):
    class Down(MemorySchedule):
        def add(self, *_: Any) -> None:
            raise ScheduleUnavailableError("connection refused")

    api.wire(api.store, Down(api.clock))
    assert api.ask("POST", "/v1/notifications", SOUND).status == 202
    assert len(api.store.tables.deliveries) == 3


def test_a_postgres_that_is_down_is_never_a_202(api: Api):
    class Down:
        def principal(self, token_hash: bytes) -> Any:
            return api.store.principal(token_hash)

        def accept(self, *_: Any) -> Any:
            raise StoreUnavailableError("connection refused to db password=hunter2")

    api.wire(Down(), api.schedule)
    answer = api.ask("POST", "/v1/notifications", SOUND)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "hunter2" not in json.dumps(answer.json)


def test_what_nobody_foresaw_is_a_500_that_tells_nothing(api: Api):
    class Broken:
        def principal(self, _: bytes) -> Any:
            raise ZeroDivisionError("secret")

    api.wire(Broken(), api.schedule)
    answer = api.ask("POST", "/v1/notifications", SOUND)
    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(answer.json)


def test_another_projects_notification_does_not_exist(api: Api):
    path = api.ask("POST", "/v1/notifications", SOUND).json["links"]["self"]
    theirs = tokens.generate(Mode.LIVE, random.Random(8).choice)
    stranger = principal(project_id=decode(Prefix.PROJECT, "prj_01h455vb4pex5vsknk084sn02q"), integrations=())
    api.store.add_key(tokens.digest(theirs), stranger)
    assert api.ask("GET", path, token=theirs).status == 404
    assert api.ask("POST", f"{path}/cancel", token=theirs).status == 404
    assert {each.status for each in api.store.tables.deliveries.values()} == {Status.SCHEDULED}


def test_a_test_token_makes_test_notifications(api: Api):
    token = tokens.generate(Mode.TEST, random.Random(4).choice)
    api.store.add_key(tokens.digest(token), replace(principal(), mode=Mode.TEST))
    assert api.ask("POST", "/v1/notifications", SOUND, token=token).json["mode"] == "test"


def test_the_openapi_document_is_served_to_everybody_and_describes_every_answer(function, context):
    asked = deepcopy(POST) | {"httpMethod": "GET", "path": "/v1/openapi.json", "body": None}
    answer = Answer(function("producer").handler(asked, context))
    assert (answer.status, answer.json["openapi"][:3]) == (200, "3.1")
    for schema in answer.json["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_answer_is_as_the_openapi_document_says(api: Api):
    def held(schema: str, answer: Answer) -> Any:
        validator = Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **document()})
        assert not [each.message for each in validator.iter_errors(answer.json)]
        return answer.json

    accepted = held("Notification", api.ask("POST", "/v1/notifications", SOUND))
    held("NotificationWithTimeline", api.ask("GET", accepted["links"]["self"]))
    held("NotificationPage", api.ask("GET", "/v1/notifications"))
    held("Batch", api.ask("POST", "/v1/notifications/batch", {"notifications": [SOUND, {}]}))
    held("NotificationWithTimeline", api.ask("POST", accepted["links"]["self"] + "/cancel"))
    held("Notification", api.ask("POST", accepted["links"]["self"] + "/send-again"))
    held("DeadLetterPage", api.ask("GET", "/v1/dead-letters"))
    for refused in (api.ask("POST", "/v1/notifications", {}), api.ask("GET", "/v1/notifications", token=None)):
        held("Problem", refused)
