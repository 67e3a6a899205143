"""What goes from consumer to sender and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nofy.domain.delivery import Fence
from nofy.domain.ids import idempotency_key
from nofy.domain.sending import message_of, message_to_json, read_request, read_response, request, response
from tests.unit.domain import strategies
from tests.unit.domain.examples import DELIVERY, NOW, leased, message

if TYPE_CHECKING:
    from nofy.domain.outcomes import Outcome


def test_a_request_arrives_as_it_was_sent():
    messages = [message(), message(live=False, content={"text": "Grüße 👋"})]
    payload = json.loads(json.dumps(request([message_to_json(each) for each in messages], NOW)))
    assert read_request(payload) == (messages, NOW)


def test_a_request_of_an_earlier_deploy_names_no_attempt():
    older = message_to_json(message(attempt=1))
    del older["attempt"]
    assert read_request({"messages": [older], "deadline": NOW.isoformat()})[0] == [message(attempt=1)]


def test_a_message_says_which_attempt_it_is():
    assert message_of(leased(fence=Fence(DELIVERY, 7, NOW))).attempt == 7


@given(st.lists(strategies.outcomes, max_size=5))
def test_an_answer_arrives_as_it_was_given(results: list[Outcome]):
    assert read_response(json.loads(json.dumps(response(results)))) == results


def test_a_message_carries_the_key_of_its_delivery_and_redrive():
    assert message_of(leased(redrive_no=2)).idempotency_key == idempotency_key(DELIVERY, 2)


def test_a_credential_travels_as_ciphertext_with_the_context_it_was_sealed_under():
    sealed = message_of(leased(credential=b"\x00\xffsealed", credential_version=4)).credential
    assert (sealed.project_id, sealed.integration_id) == (leased().project_id, leased().integration_id)
    assert (sealed.ciphertext, sealed.version) == (b"\x00\xffsealed", 4)
