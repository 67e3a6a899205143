"""People on the whole stack: signing in, a credential that is checked, a friend, a token, and being forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from local.client import Client, RefusedError
from local.people import ADA, GRACE, console
from local.simulators import credentials
from tests.e2e.conftest import wait_for

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack


@pytest.fixture(scope="module")
def ada(stack: Stack) -> Client:
    return console(stack.made["appwrite_url"], stack.made["api_url"], ADA)


@pytest.fixture(scope="module")
def grace(stack: Stack) -> Client:
    return console(stack.made["appwrite_url"], stack.made["api_url"], GRACE)


@pytest.fixture(scope="module")
def project(ada: Client) -> str:
    """A project of Ada's that can send on Slack and by e-mail."""
    made = ada.post("/v1/projects", {"name": "Acme"})
    slack = {"channel": "slack", "name": "Team", "settings": {"kind": "bot"}}
    email = {"channel": "email", "name": "Mail", "settings": {"sender": {"email": "no-reply@acme.example"}}}
    ada.post(f"/v1/projects/{made['id']}/integrations", slack | {"credential": credentials.SLACK_BOT_TOKEN})
    ada.post(f"/v1/projects/{made['id']}/integrations", email | {"credential": credentials.BREVO_API_KEY})
    return str(made["id"])


def refusal(call: Any) -> tuple[int, str]:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.status, refused.value.problem["code"]


def test_the_demo_project_is_adas_and_nobody_elses(stack: Stack, ada: Client, grace: Client):
    demo = stack.made["project_id"]
    assert demo in {each["id"] for each in ada.get("/v1/me")["projects"]}
    assert demo not in {each["id"] for each in grace.get("/v1/me")["projects"]}
    assert refusal(lambda: grace.get(f"/v1/projects/{demo}")) == (404, "not_found")


def test_a_credential_that_its_provider_does_not_know_is_not_kept(ada: Client, project: str):
    before = ada.get(f"/v1/projects/{project}/integrations")["integrations"]
    body = {"channel": "slack", "name": "Wrong", "settings": {"kind": "bot"}, "credential": "xoxb-nobody-knows-it"}
    assert refusal(lambda: ada.post(f"/v1/projects/{project}/integrations", body)) == (422, "invalid_request")
    assert ada.get(f"/v1/projects/{project}/integrations")["integrations"] == before
    assert credentials.SLACK_BOT_TOKEN not in str(before)


def test_a_friend_is_invited_by_mail_and_makes_a_token_that_sends(
    stack: Stack, ada: Client, grace: Client, project: str
):
    invited = ada.post(f"/v1/projects/{project}/invitations", {"role": "developer", "email": GRACE[0]})
    assert invited["sent_by_email"] is True
    wait_for(lambda: stack.calls(GRACE[0]))
    secret = {"token": invited["link"].partition("#")[2]}
    assert refusal(lambda: ada.post("/v1/invitations/accept", secret))[0] == 403
    assert grace.post("/v1/invitations/accept", secret)["role"] == "developer"
    assert refusal(lambda: grace.post("/v1/invitations/accept", secret))[0] == 404

    managing = {"name": "x", "mode": "live", "scopes": ["manage"]}
    assert refusal(lambda: grace.post(f"/v1/projects/{project}/tokens", managing)) == (403, "forbidden")
    made = grace.post(f"/v1/projects/{project}/tokens", {"name": "CI", "mode": "live", "scopes": ["send", "read"]})
    server = Client(stack.made["api_url"], made["token"])
    body = {"to": {"slack_channel": "C0ACCOUNTS"}, "channels": ["slack"], "content": {"text": "hello"}}
    sent = server.post("/v1/notifications", body)
    wait_for(lambda: server.get(sent["links"]["self"])["status"] == "sent")
    seen = grace.call("GET", sent["links"]["self"], nofy_project=project)
    assert seen["deliveries"][0]["status"] == "sent"

    grace.call("DELETE", f"/v1/projects/{project}/tokens/{made['id']}")
    assert refusal(lambda: server.get(sent["links"]["self"])) == (401, "unauthenticated")


def test_a_test_token_meets_every_outcome_and_no_provider(stack: Stack, ada: Client, project: str):
    made = ada.post(f"/v1/projects/{project}/tokens", {"name": "try", "mode": "test", "scopes": ["send", "read"]})
    server = Client(stack.made["api_url"], made["token"])
    to = "recipient-refused@simulated.example"
    sent = server.post(
        "/v1/notifications", {"to": {"email": to}, "channels": ["email"], "content": {"subject": "s", "text": "t"}}
    )
    wait_for(lambda: server.get(sent["links"]["self"])["status"] == "failed")
    assert stack.calls(to) == []


def test_a_person_is_forgotten_and_the_log_says_who_asked(stack: Stack, ada: Client, project: str):
    made = ada.post(f"/v1/projects/{project}/tokens", {"name": "mail", "mode": "live", "scopes": ["send", "read"]})
    server = Client(stack.made["api_url"], made["token"])
    vera = "vera@forgotten.example"
    sent = server.post(
        "/v1/notifications", {"to": {"email": vera}, "channels": ["email"], "content": {"subject": "s", "text": "t"}}
    )
    wait_for(lambda: server.get(sent["links"]["self"])["status"] == "sent")
    erased = ada.call("DELETE", f"/v1/recipients?address={quote(vera)}", nofy_project=project)
    assert erased["erased"]["notifications"] == 1
    assert vera not in str(server.get(sent["links"]["self"]))
    rows = stack.database.run("SELECT n::text FROM notifications n UNION ALL SELECT d::text FROM deliveries d")
    assert vera not in str(rows)
    entries = ada.get(f"/v1/projects/{project}/audit-log")["entries"]
    assert entries[0]["action"] == "recipient.erased"
    assert vera not in str(entries)


def test_a_project_that_is_archived_is_closed_to_everybody(stack: Stack, ada: Client):
    made = ada.post("/v1/projects", {"name": "Short"})
    token = ada.post(f"/v1/projects/{made['id']}/tokens", {"name": "x", "mode": "live", "scopes": ["read"]})["token"]
    server = Client(stack.made["api_url"], token)
    assert server.get("/v1/notifications")["notifications"] == []
    assert refusal(lambda: ada.post(f"/v1/projects/{made['id']}/archive", {"name": "short"}))[0] == 422
    ada.post(f"/v1/projects/{made['id']}/archive", {"name": "Short"})
    assert refusal(lambda: server.get("/v1/notifications")) == (401, "unauthenticated")
    assert refusal(lambda: ada.get(f"/v1/projects/{made['id']}"))[0] == 404
