"""One HTTP call, and what its failure means: was the request perhaps acted on?"""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest

from nofy.adapters.providers import connections, wire
from nofy.adapters.providers import http as module
from nofy.adapters.providers.http import Answer, HttpClient, Request
from nofy.domain.outcomes import Accepted, Outcome, Transient, Unknown
from tests.unit.providers.tiny_server import CLOSE, DRIP, RESET, SILENCE, Run, TinyServer, free_port, reply


class Reader:
    """Remembers the answer it was given to read."""

    def __init__(self) -> None:
        self.answer: Answer | None = None

    def __call__(self, answer: Answer) -> Outcome:
        self.answer = answer
        return Accepted("read")


class Caller:
    """A client, and the loop its calls wait in."""

    def __init__(self, client: HttpClient, run: Run) -> None:
        self.client = client
        self.run = run

    def ask(self, request: Request, reader: Any) -> Outcome:
        outcome: Outcome = self.run(self.client.ask(request, reader))
        return outcome


@pytest.fixture
def caller(http: HttpClient, run: Run) -> Caller:
    return Caller(http, run)


def post(caller: Caller, url: str, body: dict[str, Any] | None = None, reader: Any = None) -> Outcome:
    return caller.ask(Request(url, {"content-type": "application/json"}, body or {}), reader or Reader())


def test_an_answer_is_read(caller: Caller):
    reader = Reader()
    with TinyServer([reply(418, b"short", X_Request_Id="7")]) as server:
        assert post(caller, server.url, reader=reader) == Accepted("read")
    assert reader.answer is not None
    assert (reader.answer.status, reader.answer.body) == (418, b"short")
    assert reader.answer.headers["x-request-id"] == "7"


def test_a_body_is_utf_8_json_without_escapes(caller: Caller):
    with TinyServer([reply()]) as server:
        post(caller, server.url + "/v1/send?x=1", {"text": "Grüße 👋"})
        (asked,) = server.asked
    assert asked.line == "POST /v1/send?x=1 HTTP/1.1"
    assert asked.body == '{"text":"Grüße 👋"}'.encode()
    assert asked.headers["content-type"] == "application/json"


def test_we_say_who_is_calling(caller: Caller):
    with TinyServer([reply()]) as server:
        post(caller, server.url)
        assert server.asked[0].headers["user-agent"] == "nofy"


def test_a_connection_that_is_refused_was_never_made(caller: Caller):
    outcome = post(caller, f"http://127.0.0.1:{free_port()}")
    assert outcome == Transient("not reached: ConnectionRefusedError")


def test_a_name_nobody_knows_was_never_reached(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    def no_such_name(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert post(caller, "http://api.invalid/send") == Transient("not reached: gaierror")


def test_a_connection_that_ends_as_it_is_made_is_not_waited_for(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    made = wire.Wire.connection_made
    monkeypatch.setattr(wire.Wire, "connection_made", lambda self, transport: (made(self, transport), self.hang_up()))
    with TinyServer([reply()]) as server:
        assert post(caller, server.url) == Transient("not reached: ConnectionResetError")
        assert not server.asked


def test_a_door_that_nobody_answers_was_never_reached(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "PROVIDER_CONNECT_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        crowd = [_knock(listener.getsockname()) for _ in range(4)]  # the queue is full, nobody is let in
        outcome = post(caller, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for each in crowd:
            each.close()
    assert outcome == Transient("not reached: TimeoutError")


@pytest.mark.parametrize(
    "ending",
    [
        RESET,
        CLOSE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",  # an answer that breaks off
        b"SSH-2.0-OpenSSH_9.6\r\n",  # an answer in another language
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ours\r\n\r\n",  # that nobody asked for
    ],
)
def test_a_request_that_left_and_got_no_whole_answer_may_have_been_acted_on(caller: Caller, ending: bytes):
    with TinyServer([ending], then_close=True) as server:
        outcome = post(caller, server.url)
        assert len(server.asked) == 1, "nobody asks again"
    assert isinstance(outcome, Unknown)


def test_a_provider_that_is_silent_for_too_long_may_have_acted(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PROVIDER_TIMEOUT", 0.1)
    with TinyServer([SILENCE]) as server:
        outcome = post(caller, server.url)
        assert len(server.asked) == 1, "nobody asks again"
    assert outcome == Unknown("no answer: TimeoutError")


@pytest.mark.parametrize("status", [408, 413, 429, 500, 502, 503, 504])
def test_no_answer_is_asked_for_twice(caller: Caller, status: int):
    with TinyServer([reply(status, Retry_After="0"), reply(200)]) as server:
        reader = Reader()
        post(caller, server.url, reader=reader)
        assert len(server.asked) == 1
    assert reader.answer is not None
    assert reader.answer.status == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(caller: Caller, status: int):
    with TinyServer([reply(200)]) as elsewhere, TinyServer([reply(status, Location=elsewhere.url)]) as server:
        reader = Reader()
        post(caller, server.url, reader=reader)
        assert len(server.asked) == 1
        assert not elsewhere.asked
    assert reader.answer is not None
    assert reader.answer.status == status


def test_calls_share_a_connection(caller: Caller):
    with TinyServer([reply()]) as server:
        for _ in range(3):
            post(caller, server.url)
        assert len(server.asked) == 3
        assert server.connections == 1


def test_a_connection_that_was_hung_up_meanwhile_is_made_anew(caller: Caller):
    with TinyServer([reply()], then_close=True) as server:
        for _ in range(3):
            assert post(caller, server.url) == Accepted("read")
            assert server.hung_up.acquire(timeout=5)
        assert server.connections == 3


def test_without_a_body_it_is_a_get(caller: Caller):
    with TinyServer([reply()]) as server:
        caller.ask(Request(server.url + "/account", {"api-key": "k"}), Reader())
        (asked,) = server.asked
    assert asked.line == "GET /account HTTP/1.1"
    assert (asked.headers["api-key"], asked.body) == ("k", b"")
    assert "content-length" not in asked.headers


def test_a_credential_that_a_provider_repeats_is_taken_out_of_its_answer(caller: Caller):
    reader = Reader()
    said = b'{"error": {"message": "Malformed access token EAAsecret123", "code": 190}}'
    with TinyServer([reply(401, said)]) as server:
        caller.ask(Request(server.url, {}, {}, secret="EAAsecret123"), reader)
    assert reader.answer is not None
    assert reader.answer.json()["error"]["message"] == "Malformed access token [credential]"


def test_what_is_asked_shows_no_credential():
    assert "EAAsecret123" not in repr(Request("https://x", {}, {}, secret="EAAsecret123"))


def test_an_answer_without_end_is_cut_and_its_connection_is_not_used_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_ANSWER", 1000)
    with TinyServer([reply(200, b"x" * 500_000)]) as server:
        for _ in range(3):
            reader = Reader()
            assert post(caller, server.url, reader=reader) == Accepted("read")
            assert reader.answer is not None
            assert len(reader.answer.body) == 1000
        assert server.connections == 3


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PROVIDER_TIMEOUT", 0.3)
    with TinyServer([DRIP + reply(200, b"drop by drop")]) as server:
        assert post(caller, server.url) == Unknown("no answer: TimeoutError")


def test_making_a_client_connects_to_nothing():
    assert not HttpClient()._connections._idle


def test_no_more_connections_are_kept_than_a_sender_has_calls_in_flight(caller: Caller):
    async def taken_at_once(address: SplitResult) -> int:
        kept = caller.client._connections
        taken = [await kept.take(address) for _ in range(connections.KEPT + 2)]
        for each in taken:
            kept.give_back(address, each)
        return sum(not each.has_ended for each in taken)

    with TinyServer([reply()]) as server:
        assert caller.run(taken_at_once(urlsplit(server.url))) == connections.KEPT


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("", {"api-key": "a\nb"}),
        ("", {"api-key": "a\r\nx-other: b"}),
        ("", {"api-key": "a\0b"}),
        ("", {"a\r\nb": "c"}),
        ("", {"api-key": "日本"}),
        ("/a b", {}),
        ("/a\x7fb", {}),
        ("/é€", {}),
    ],
)
def test_what_would_be_read_as_another_request_is_not_asked(caller: Caller, path: str, headers: dict[str, str]):
    with TinyServer([reply()]) as server:
        with pytest.raises(ValueError, match=r"header|encode"):
            caller.ask(Request(server.url + path, headers, {}), Reader())
        assert post(caller, server.url) == Accepted("read")
        assert len(server.asked) == 1


@pytest.mark.parametrize("more", [reply(500), b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_what_comes_unasked_is_nobodys_answer(caller: Caller, more: bytes):
    """Of a server that says two things at once, the second would be the answer to whatever is asked next."""
    with TinyServer([reply(200, b"first") + more, reply(200, b"second")]) as server:
        for said in (b"first", b"second"):
            reader = Reader()
            post(caller, server.url, reader=reader)
            assert reader.answer is not None
            assert reader.answer.body == said
        assert server.connections == 2


def test_an_answer_comes_after_what_is_none_yet(caller: Caller):
    reader = Reader()
    with TinyServer([b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply(200, b"now")]) as server:
        post(caller, server.url, reader=reader)
    assert reader.answer is not None
    assert (reader.answer.status, reader.answer.body) == (200, b"now")
    assert "link" not in reader.answer.headers


@pytest.mark.parametrize(
    ("said", "connections_made"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nin \r\n6\r\npieces\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nin pieces", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nin pieces", 2),
    ],
)
def test_a_connection_is_used_again_where_its_server_lets_it(caller: Caller, said: bytes, connections_made: int):
    with TinyServer([said]) as server:
        for _ in range(2):
            reader = Reader()
            post(caller, server.url, reader=reader)
            assert reader.answer is not None
            assert reader.answer.body == b"in pieces"
        assert server.connections == connections_made


def test_an_answer_without_a_length_ends_with_its_connection(caller: Caller):
    reader = Reader()
    with TinyServer([b"HTTP/1.1 200 OK\r\n\r\nthat is all"], then_close=True) as server:
        post(caller, server.url, reader=reader)
    assert reader.answer is not None
    assert reader.answer.body == b"that is all"


def test_a_certificate_that_nobody_vouches_for_is_never_asked(caller: Caller):
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_speak_no_tls, args=(server,))
        answering.start()
        outcome = post(caller, f"https://127.0.0.1:{server.getsockname()[1]}")
        answering.join()
    assert outcome == Transient("not reached: SSLError")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        # An endless or senseless wait is no answer: as JSON it would be one that PostgreSQL refuses.
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Sun, 01 Mar 2026 12:01:30 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 90),
        ({"retry-after": "Sun, 01 Mar 2026 11:59:00 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 01 Mar 2026 12:01:30 GMT"}, None),  # our clock is not theirs
        ({"retry-after": "Sun, 01 Mar 2026 12:01:30", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, None),
        ({"x-sib-ratelimit-reset": "12"}, 12),
        ({"x-sib-ratelimit-reset": "12", "retry-after": "7"}, 7),
        ({"x-sib-ratelimit-reset": "12", "retry-after": "soon"}, 12),
    ],
)
def test_how_long_to_wait_stands_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None):
    assert Answer(429, headers, b"").retry_after("x-sib-ratelimit-reset") == seconds


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"", {}),
        (b"<html>", {}),
        (b"[1]", {}),
        (b"null", {}),
        (b"\xff\xfe", {}),
        (b"[" * 100_000, {}),
    ],
)
def test_an_answer_that_is_no_json_object_is_an_empty_one(body: bytes, found: dict[str, Any]):
    assert Answer(200, {}, body).json() == found


def test_the_start_of_an_answer_is_shown_to_a_person():
    assert Answer(500, {}, b" <h1>oops\xff</h1> " + b"x" * 500).text().startswith("<h1>oops\ufffd</h1>")
    assert len(Answer(500, {}, b"x" * 500).text()) == 200


def _speak_no_tls(server: socket.socket) -> None:
    visitor, _ = server.accept()
    visitor.recv(4096)
    visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    visitor.close()


def _knock(address: tuple[str, int]) -> socket.socket:
    visitor = socket.socket()
    visitor.setblocking(False)
    visitor.connect_ex(address)
    return visitor


def test_a_request_leaves_in_one_piece(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    sent: list[bytes] = []
    send = socket.socket.send
    monkeypatch.setattr(socket.socket, "send", lambda self, data: (sent.append(bytes(data)), send(self, data))[1])
    with TinyServer([reply()]) as server:
        post(caller, server.url, {"text": "Build 42 is live"})
    asked = [each for each in sent if each.startswith(b"POST")]
    assert [each.endswith(b'{"text":"Build 42 is live"}') for each in asked] == [True]
