"""POST /v3/smtp/email, as reference section 2 has it."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

KEY = "5b0b4a0e-6f0d-4c9b-9f39-0d5a4f1f7f10"


def test_a_message_is_accepted_with_a_bracketed_id_and_the_limits_in_headers(sim):
    answer = sim.email()

    assert answer.status == 201
    assert answer.body["messageId"].startswith("<")
    assert answer.body["messageId"].endswith("@smtp-relay.mailin.fr>")
    assert {name: answer.headers[f"x-sib-ratelimit-{name}"] for name in ("limit", "reset")} == {
        "limit": "1000",
        "reset": "1",
    }
    assert answer.headers["x-sib-ratelimit-remaining"].isdigit()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "authentication not found in headers"),
        ("xkeysib-wrong", "Key not found"),
        ("xkeysib-nofy-elsewhere", "We have detected you are using an unrecognised IP address 192.0.2.7."),
    ],
)
def test_bad_keys_are_unauthorized_in_brevos_own_words(sim, key, message):
    answer = sim.email(key=key)

    assert (answer.status, answer.body) == (401, {"code": "unauthorized", "message": message})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender": None}, "missing_parameter"),
        ({"to": None}, "missing_parameter"),
        ({"subject": None}, "missing_parameter"),
        ({"htmlContent": None, "textContent": "text alone is not enough"}, "missing_parameter"),
        ({"sender": {"name": "no address"}}, "invalid_parameter"),
        ({"sender": "ada@example.com"}, "invalid_parameter"),
        ({"to": []}, "invalid_parameter"),
        ({"to": [{"email": "not an address"}]}, "invalid_parameter"),
        ({"to": [{"email": "ada@example.com", "name": "x" * 71}]}, "invalid_parameter"),
        ({"cc": [{"email": "x"}]}, "invalid_parameter"),
        ({"replyTo": [{"email": "ada@example.com"}]}, "invalid_parameter"),
        ({"subject": "two\nlines"}, "invalid_parameter"),
        ({"headers": {"X-Number": 5}}, "invalid_parameter"),
        ({"headers": {"idempotencyKey": "no uuid"}}, "invalid_parameter"),
        ({"tags": "one"}, "invalid_parameter"),
        ({"attachment": [{"content": "eA=="}]}, "missing_parameter"),
        ({"attachment": [{"name": "a.exe", "content": "eA=="}]}, "invalid_parameter"),
        ({"attachment": [{"name": "a.txt", "content": "?"}]}, "invalid_parameter"),
        ({"attachment": [{"url": "file.txt"}]}, "invalid_parameter"),
        ({"templateId": 999}, "document_not_found"),
        ({"scheduledAt": "tomorrow"}, "invalid_parameter"),
        ({"scheduledAt": "2020-01-01T00:00:00"}, "invalid_parameter"),
        ({"messageVersions": []}, "invalid_parameter"),
        (
            {"messageVersions": [{"to": [{"email": f"a{n}@example.com"} for n in range(100)]}]},
            "invalid_parameter",
        ),
        ({"messageVersions": [{"subject": "x"}]}, "missing_parameter"),
    ],
)
def test_a_request_that_breaks_a_rule_is_400_with_the_rules_code(sim, changes, code):
    answer = sim.email_changed(changes)

    assert (answer.status, answer.body["code"]) == (400, code)
    assert sim.outcomes() == [("refused", False)]


def test_an_address_that_is_none_is_named_as_the_recipients_fault(sim):
    assert sim.email("not-an-address").body["message"] == "email is not valid in to"


@pytest.mark.parametrize("name", ["idempotencyKey", "IdempotencyKey", "Idempotency-Key", "idempotency-key"])
def test_a_key_is_refused_for_thirty_minutes_however_its_name_is_spelt(sim, name):
    assert sim.email(headers={name: KEY}).status == 201
    again = sim.email(headers={"idempotencyKey": KEY.upper()})
    assert (again.status, again.body["code"]) == (400, "duplicate_parameter")

    sim.clock.ahead += 30 * 60 + 1
    assert sim.email(headers={name: KEY}).status == 201
    assert sim.outcomes() == [("accepted", True), ("duplicate", False), ("accepted", True)]
    assert len(sim.messages()) == 2


def test_a_refused_call_does_not_use_up_its_key(sim):
    headers = {"idempotencyKey": KEY}

    assert sim.email(subject=None, headers=headers).status == 400
    assert sim.email("ada+503@example.com", headers=headers).status == 503
    assert sim.email("ada+503@example.com", headers=headers).status == 201


def test_keys_are_remembered_by_a_restarted_simulator(restartable):
    assert restartable().email(headers={"idempotencyKey": KEY}).status == 201

    assert restartable().email(headers={"idempotencyKey": KEY}).body["code"] == "duplicate_parameter"


def test_a_sandbox_message_is_checked_and_dropped(sim):
    answer = sim.email(headers={"X-Sib-Sandbox": "drop"})

    assert answer.status == 201
    assert answer.body["messageId"]
    assert sim.messages(outcome="all") == []
    assert sim.outcomes() == [("sandbox", True)]
    assert sim.email(subject=None, headers={"X-Sib-Sandbox": "drop"}).status == 400


def test_versions_are_answered_with_an_id_each_in_order(sim):
    versions = [{"to": [{"email": f"{name}@example.com"}], "subject": name} for name in ("ada", "grace")]

    answer = sim.email(messageVersions=versions)

    assert len(answer.body["messageIds"]) == 2
    shown = [(message["to"], message["subject"], message["provider_id"]) for message in sim.messages()]
    ada, grace = answer.body["messageIds"]
    assert shown == [("ada@example.com", "ada", ada), ("grace@example.com", "grace", grace)]
    assert len(sim.ledger()) == 1


def test_a_scheduled_message_is_202_with_a_batch_id_and_at_most_three_days_ahead(sim):
    def ahead(hours):
        return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()

    answer = sim.email(scheduledAt=ahead(1))

    assert answer.status == 202
    assert uuid.UUID(answer.body["batchId"])
    assert sim.email(scheduledAt=ahead(73)).body["code"] == "out_of_range"


def test_a_known_template_brings_its_own_sender_subject_and_content(sim):
    assert sim.email(templateId=1, sender=None, subject=None, htmlContent=None).status == 201


def test_the_correlation_is_the_custom_header_and_else_the_key(sim):
    sim.email(headers={"X-Mailin-custom": "dlv_1", "idempotencyKey": KEY})
    sim.email(headers={"idempotencyKey": str(uuid.uuid4())})

    first, second = sim.ledger()
    assert (first["correlation"], first["idempotency_key"]) == ("dlv_1", KEY)
    assert second["correlation"] == second["idempotency_key"]


def test_past_its_rate_brevo_says_429_and_the_remaining_seconds(limited):
    assert [limited.email().status for _ in range(3)] == [201, 201, 429]
    answer = limited.email()
    assert answer.headers["x-sib-ratelimit-reset"] == "1"
    assert answer.headers["x-sib-ratelimit-remaining"] == "0"
    assert answer.headers["Retry-After"] is None


def test_the_account_call_checks_a_key(sim):
    assert sim.call("GET", "/brevo/v3/account", api_key="xkeysib-nofy-local").body["email"]
    assert sim.call("GET", "/brevo/v3/account", api_key="x").body["message"] == "Key not found"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_a_bad_request(sim, raw):
    answer = sim.call("POST", "/brevo/v3/smtp/email", raw, api_key="xkeysib-nofy-local")

    assert (answer.status, answer.body["code"]) == (400, "bad_request")


def test_other_methods_and_paths_are_405_and_404(sim):
    assert sim.call("GET", "/brevo/v3/smtp/email").status == 405
    assert sim.call("GET", "/brevo/v3/contacts").status == 404
