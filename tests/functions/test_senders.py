"""The senders as the consumer invokes them: real clients against the simulators, an answer for every message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from local.simulators.credentials import BREVO_API_KEY, SLACK_BOT_TOKEN, WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_TOKEN
from local.simulators.server import Server
from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, RejectionKind, Transient, Unknown
from nofy.domain.sending import Message, SealedCredential, message_to_json, read_response, request
from nofy.runtime import clock
from tests.functions.conftest import Context
from tests.unit.domain.examples import DELIVERY, INTEGRATION, PROJECT, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nofy.pipeline.send import ChannelSender


class Vault:
    """Sealed is the same as open, but for what is broken."""

    async def open(self, sealed: SealedCredential) -> str:
        if sealed.ciphertext == b"broken":
            raise TimeoutError("KMS")
        return sealed.ciphertext.decode()


@pytest.fixture
def simulators() -> Iterator[Server]:
    with Server(port=0) as server:
        yield server


SETTINGS: dict[str, dict[str, Any]] = {
    "slack": {"kind": "bot"},
    "brevo": {"sender": {"email": "no-reply@example.com"}},
    "whatsapp": {"phone_number_id": WHATSAPP_PHONE_NUMBER_ID},
}
CREDENTIALS = {"slack": SLACK_BOT_TOKEN, "brevo": BREVO_API_KEY, "whatsapp": WHATSAPP_TOKEN}
CONTENT: dict[str, dict[str, Any]] = {
    "slack": {"text": "Grüße 👋"},
    "brevo": {"subject": "Grüße 👋", "html": "<p>", "text": "x"},
    "whatsapp": {"text": "Grüße 👋"},
}
ADDRESSES = {"slack": "C0DEPLOYS", "brevo": "ada@example.com", "whatsapp": "+15550100001"}
PROVIDERS = sorted(ADDRESSES)


def to(provider: str, number: int = 0, credential: bytes | None = None, **changes: Any) -> Message:
    sealed = SealedCredential(
        PROJECT, INTEGRATION, 1, CREDENTIALS[provider].encode() if credential is None else credential
    )
    identifier = UUID(int=DELIVERY.int + number)
    usual = {"destination": ADDRESSES[provider], "content": CONTENT[provider], "settings": SETTINGS[provider]}
    return message(
        **{"delivery_id": identifier, "idempotency_key": identifier, "credential": sealed, **usual, **changes}
    )


def hang_up(sender: ChannelSender) -> None:
    """As the end of its process does."""
    assert sender._runner
    sender._runner.run(sender._client._http.close())
    sender.close()


@pytest.fixture
def invoke(function, simulators: Server, monkeypatch: pytest.MonkeyPatch):
    from tests.functions.conftest import load_handler

    function("senders/slack")
    monkeypatch.setenv("SLACK_API_URL", f"{simulators.url}/slack/api")
    monkeypatch.setenv("BREVO_API_URL", f"{simulators.url}/brevo/v3")
    monkeypatch.setenv("WHATSAPP_API_URL", f"{simulators.url}/whatsapp/v25.0")
    made = []

    def invoked(provider: str, *messages: Message, deadline: datetime | None = None) -> list[Outcome]:
        module = load_handler(f"senders/{provider}")
        module.sender._vault = Vault()
        made.append(module.sender)
        payload = request([message_to_json(each) for each in messages], deadline or clock.now() + timedelta(seconds=60))
        answer = module.handler(json.loads(json.dumps(payload)), Context())
        return read_response(json.loads(json.dumps(answer)))

    yield invoked
    for each in made:
        hang_up(each)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_sender_answers_for_every_message_in_order(invoke, simulators: Server, provider: str):
    outcomes = invoke(provider, *(to(provider, number) for number in range(40)))
    received = {each.correlation: each.provider_id for each in simulators.application.world.inbox.accepted_by(provider)}
    assert len(received) == 40
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, Accepted)
        assert (outcome.provider_message_id or "").split(":")[-1] in received[str(UUID(int=DELIVERY.int + number))]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_test_message_stops_before_the_provider(invoke, simulators: Server, provider: str):
    assert invoke(provider, to(provider, live=False)) == [Accepted(f"test_{DELIVERY.hex}")]
    assert not simulators.application.world.ledger.since(0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_credential_that_cannot_be_opened_costs_its_own_messages_nothing_but_time(invoke, provider: str):
    broken, sound = invoke(provider, to(provider, 1, b"broken"), to(provider, 2))
    assert broken == NotTried("the credential could not be opened")
    assert isinstance(sound, Accepted)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_is_begun_that_would_outlive_the_deadline(invoke, simulators: Server, provider: str):
    soon = clock.now() + timedelta(seconds=17)
    assert invoke(provider, to(provider), deadline=soon) == [NotTried("the sender's time was over")]
    assert not simulators.application.world.ledger.since(0)


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        ("whatsapp", {"settings": {}}),
        ("brevo", {"settings": {}}),
        ("brevo", {"content": {}}),
        ("slack", {"content": {"text": "\ud800"}}),
    ],
)
def test_a_message_that_cannot_even_be_asked_for_does_not_cost_the_others_their_outcome(invoke, provider: str, changes):
    wrong, sound = invoke(provider, to(provider, 1, **changes), to(provider, 2))
    assert isinstance(wrong, Unknown)
    assert isinstance(sound, Accepted)


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        *((each, {"credential": b"xoxb-secret9\r\nx-other: header"}) for each in PROVIDERS),
        *((each, {"credential": "sécret9".encode()}) for each in PROVIDERS),
        ("slack", {"settings": {"kind": "webhook"}, "credential": b"http://127.0.0.1:1/services/T0/B0/secret9"}),
        ("slack", {"settings": {"kind": "webhook"}, "credential": b"no-address-secret9"}),
    ],
)
def test_a_credential_that_cannot_be_used_holds_its_integration_and_is_logged_by_nobody(
    invoke, provider: str, changes, simulators: Server, logged
):
    wrong, sound = invoke(provider, to(provider, 1, **changes), to(provider, 2))
    assert isinstance(wrong, Rejected)
    assert wrong.kind is RejectionKind.CONFIG
    assert isinstance(sound, Accepted)
    assert len(simulators.application.world.ledger.since(0)) == 1
    assert "secret9" not in repr(wrong) + logged.getvalue()


def test_what_goes_wrong_on_our_side_is_logged_by_where_and_not_by_what(invoke, logged):
    (outcome,) = invoke("brevo", to("brevo", settings={}, content={"private words": "private words"}))
    assert isinstance(outcome, Unknown)
    assert "KeyError" in logged.getvalue()
    assert "body_of" in logged.getvalue()
    assert "private words" not in logged.getvalue()


@pytest.mark.parametrize("elsewhere", [{"project_id": UUID(int=9)}, {"integration_id": UUID(int=9)}])
def test_a_credential_of_another_project_or_integration_sends_nothing(
    function, simulators: Server, monkeypatch: pytest.MonkeyPatch, elsewhere
):
    from nofy.adapters.aws.vault import seal
    from tests.functions.conftest import load_handler

    with mock_aws():
        kms = boto3.client("kms", region_name="eu-central-1")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        ciphertext = seal(kms, key, PROJECT, INTEGRATION, SLACK_BOT_TOKEN)
        function("dlq")
        monkeypatch.setenv("SLACK_API_URL", f"{simulators.url}/slack/api")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        module = load_handler("senders/slack")
        mine = to("slack", 1, ciphertext)
        messages = [mine, replace(mine, credential=replace(mine.credential, **elsewhere))]
        payload = request([message_to_json(each) for each in messages], clock.now() + timedelta(seconds=60))
        own, stolen = read_response(module.handler(payload, Context()))
        hang_up(module.sender)
    assert isinstance(own, Accepted)
    assert stolen == NotTried("the credential could not be opened")
    assert len(simulators.application.world.ledger.since(0)) == 1


def test_messages_of_one_invoke_have_outcomes_of_their_own(invoke):
    channels = ["C0DEPLOYS", "C0503X1", "C404"]
    outcomes = invoke("slack", *(to("slack", number, destination=each) for number, each in enumerate(channels)))
    assert [type(each) for each in outcomes] == [Accepted, Transient, Rejected]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_messages_are_no_outcomes(invoke, provider: str):
    assert invoke(provider) == []
