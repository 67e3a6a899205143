from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bench.peers import job
from bench.peers.plan import body

DUE = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def request(**changed: Any) -> dict[str, Any]:
    return {**body(17), **changed}


def test_what_the_bench_asks_for_is_good_and_its_number_can_be_found():
    (found,) = job.validated([request(send_at=DUE)])
    assert (found.recipient, found.subject, found.send_at) == ("ada@example.com", "Deploy finished", DUE)
    assert "bench-17:" in found.text


@pytest.mark.parametrize(
    "changed",
    [
        {"to": {"email": "ada"}},
        {"to": {"email": "ada@example.com" + "m" * 254}},
        {"to": {}},
        {"channels": ["slack"]},
        {"channels": []},
        {"content": {"text": ""}},
        {"content": {"text": "x" * 100_001}},
        {"content": {"subject": "two\nlines", "text": "x"}},
        {"send_at": datetime(2026, 3, 1, 9, 30)},
        {"sendat": DUE},
    ],
)
def test_a_wrong_request_is_refused_and_its_batch_with_it(changed: dict[str, Any]):
    with pytest.raises(ValidationError):
        job.validated([request(), request(**changed)])


def test_each_has_an_id_of_its_own_which_its_row_its_task_and_the_provider_share():
    first, second = job.validated([request(), request()])
    assert first.id != second.id
    assert job.columns([first, second])[0] == [first.id, second.id]
    sent = json.loads(job.provider_body(**first.task()))
    assert sent["headers"] == {"X-Mailin-custom": first.id, "idempotencyKey": first.id}
    assert sent["to"] == [{"email": "ada@example.com"}]
    assert sent["textContent"] == first.text


def test_what_the_provider_took_is_recorded_under_its_own_id():
    found = job.outcome(201, b'{"messageId":"<17@brevo>"}')
    assert found == {"status": "sent", "message": "<17@brevo>", "reason": None}


def test_what_the_provider_refused_is_recorded_with_its_words():
    found = job.outcome(400, b'{"code":"invalid_parameter"}')
    assert found["status"] == "failed"
    assert "invalid_parameter" in str(found["reason"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_it_could_not_take_now_is_tried_again(status: int):
    with pytest.raises(job.ProviderUnavailableError):
        job.outcome(status, b"")
