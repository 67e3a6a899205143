from __future__ import annotations

import io

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from local.bridge.invocation import Invoker
from local.bridge.outcome import Done, Failed


class Lambda:
    """Answers with what it was given, in order; exceptions are raised."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.payloads: list[bytes] = []

    def invoke(self, FunctionName: str, Payload: bytes):  # noqa: N803
        assert FunctionName == "acks"
        self.payloads.append(Payload)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def said(payload: bytes = b"{}", error: str | None = None) -> dict:
    return {"Payload": io.BytesIO(payload), **({"FunctionError": error} if error else {})}


def invoker(client: Lambda, paused: list[float]) -> Invoker:
    return Invoker(client, "acks", paused.append, lambda _: None)


def test_the_function_gets_the_batchs_payload(batch):
    client = Lambda(said())
    assert invoker(client, []).invoke(batch(1, 2)) == Done()
    assert client.payloads == [batch(1, 2).payload]


@pytest.mark.parametrize(
    "away",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Invoke"),
    ],
)
def test_an_emulator_that_is_away_is_waited_for_and_no_failure_of_the_batch(batch, away: Exception):
    paused: list[float] = []
    assert invoker(Lambda(away, away, said()), paused).invoke(batch(1, 2)) == Done()
    assert paused == [0.5, 1.0]


def test_an_invoke_that_was_never_answered_counts_as_failed(batch):
    timed_out = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
    assert isinstance(invoker(Lambda(timed_out), []).invoke(batch(1, 2)), Failed)


def test_a_function_error_is_a_failure(batch):
    assert isinstance(invoker(Lambda(said(b"{}", "Unhandled")), []).invoke(batch(1, 2)), Failed)
