"""The hop to a sender: one invoke that nobody repeats, and whether the sender may have run."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from nofy.adapters.aws import invoke as module
from nofy.adapters.aws.invoke import LambdaSender
from nofy.domain.errors import InvokeRefusedError, InvokeUncertainError
from nofy.domain.outcomes import Accepted, Transient
from nofy.domain.routing import Provider
from nofy.domain.sending import message_of, read_request, response
from tests.unit.domain.examples import NOW, leased
from tests.unit.providers.tiny_server import CLOSE, RESET, SILENCE, TinyServer, free_port, reply

BATCH = [leased(), leased(content={"text": "Grüße 👋"})]
RESULTS = [Accepted("pm-1"), Transient("503")]
ANSWERED = reply(200, json.dumps(response(RESULTS)).encode())


def send(monkeypatch: pytest.MonkeyPatch, url: str) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
    return LambdaSender({"brevo": "nofy-dev-sender-brevo"}).send(Provider.BREVO, BATCH, NOW)


def refused(status: int, error: str) -> bytes:
    return reply(status, b'{"Type": "User", "message": "no"}', x_amzn_ErrorType=error)


def test_a_group_goes_to_its_providers_function_and_comes_back_as_outcomes(monkeypatch):
    with TinyServer([ANSWERED]) as server:
        assert send(monkeypatch, server.url) == RESULTS
        (asked,) = server.asked
    assert asked.line == "POST /2015-03-31/functions/nofy-dev-sender-brevo/invocations HTTP/1.1"
    assert asked.headers.get("x-amz-invocation-type", "RequestResponse") == "RequestResponse"
    assert read_request(asked.json) == ([message_of(each) for each in BATCH], NOW)


@pytest.mark.parametrize(
    "answer",
    [
        refused(429, "TooManyRequestsException"),
        refused(404, "ResourceNotFoundException"),
        refused(403, "AccessDeniedException"),
        refused(413, "RequestTooLargeException"),
        refused(400, "InvalidRequestContentException"),
        # No place, no network, no key for it: a 5xx, and not run all the same.
        refused(502, "EC2ThrottledException"),
        refused(502, "SubnetIPAddressLimitReachedException"),
        refused(502, "KMSAccessDeniedException"),
    ],
)
def test_what_lambda_refused_did_not_run(monkeypatch, answer: bytes):
    with TinyServer([answer]) as server:
        with pytest.raises(InvokeRefusedError):
            send(monkeypatch, server.url)
        assert len(server.asked) == 1, "nobody asks again"


def test_a_lambda_that_was_not_reached_did_not_run(monkeypatch):
    with pytest.raises(InvokeRefusedError):
        send(monkeypatch, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "answer",
    [
        refused(500, "ServiceException"),
        refused(502, "EFSIOException"),
        reply(503, b"<html>"),
        reply(200, b'{"errorMessage": "Task timed out after 60.00 seconds"}', X_Amz_Function_Error="Unhandled"),
        reply(200, b"<html>"),
        reply(200, b""),
        reply(200, b"null"),
        reply(200, b"[1]"),
        reply(200, b'"text"'),
        reply(200, b"{}"),
        reply(200, b'{"outcomes": 1}'),
        reply(200, b'{"outcomes": [null]}'),
        reply(200, b'{"outcomes": [{"outcome": "maybe"}]}'),
        reply(200, b'{"outcomes": [{"outcome": "unknown"}]}'),
        reply(200, b"[" * 100_000),
        RESET,
        CLOSE,
    ],
)
def test_a_sender_that_may_have_run_leaves_the_outcome_open(monkeypatch, answer: bytes):
    with TinyServer([answer]) as server:
        with pytest.raises(InvokeUncertainError):
            send(monkeypatch, server.url)
        assert len(server.asked) == 1, "a repeated invoke is a repeated message"


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open(monkeypatch):
    monkeypatch.setattr(module, "INVOKE_READ_TIMEOUT", 0.2)
    with TinyServer([SILENCE]) as server:
        with pytest.raises(InvokeUncertainError, match="no answer from Lambda"):
            send(monkeypatch, server.url)
        assert len(server.asked) == 1, "a repeated invoke is a repeated message"


def test_groups_that_are_sent_at_once_share_one_client(monkeypatch):
    made = []
    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda *args, **more: made.append(args) or real(*args, **more))
    with TinyServer([ANSWERED]) as server, ThreadPoolExecutor(4) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        sender = LambdaSender({"brevo": "nofy-dev-sender-brevo"})
        assert list(pool.map(lambda _: sender.send(Provider.BREVO, BATCH, NOW), range(4))) == [RESULTS] * 4
    assert len(made) == 1


@pytest.mark.parametrize("content", [{"text": "x" * 5_000}, {"text": "é" * 5_000}, {"text": "👋" * 5_000}])
def test_the_weight_of_a_delivery_is_not_below_what_it_adds_to_an_invoke(monkeypatch, content):
    each = leased(content=content, credential=b"\xff" * 3_000)
    with TinyServer([ANSWERED]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        sender = LambdaSender({"brevo": "f"})
        sender.send(Provider.BREVO, [each], NOW)
        alone = len(server.asked[0].body)
        sender.send(Provider.BREVO, [each, each], NOW)
        assert len(server.asked[1].body) - alone <= sender.weigh(each)
