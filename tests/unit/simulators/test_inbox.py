"""The inbox: what was received, searchable and live, and a page that holds hostile content."""

import http.client
import json
import socket
import threading
from pathlib import Path

import pytest

from local.simulators import messages as shelves
from local.simulators.messages import Inbox, Search
from local.simulators.server import Server

PAGE = Path(shelves.__file__).with_name("inbox")
FIELDS = {
    "channel": "slack", "provider": "slack", "to": "C0DEMO", "correlation": "", "idempotency_key": "",
    "received_at": "2026-01-01T00:00:00.000Z", "subject": "", "text": "x", "outcome": "accepted",
    "accepted": True, "status": 200, "why": "", "provider_id": "1.000001",
}  # fmt: skip


def test_a_message_is_shown_with_what_its_channel_needs(sim):
    sim.email(about="dlv_1", textContent="Build 42 is live", tags=["deploy"])

    (message,) = sim.messages()
    assert message["id"] == "msg_00000001"
    assert (message["channel"], message["provider"], message["to"]) == ("email", "brevo", "ada@example.com")
    assert (message["correlation"], message["subject"]) == ("dlv_1", "Deploy finished")
    assert message["text"] == "Build 42 is live"
    assert message["content"]["htmlContent"] == "<p>Build 42 is live</p>"
    assert message["content"]["tags"] == ["deploy"]
    assert message["received_at"].endswith("Z")
    assert json.loads(message["answer"])["messageId"] == message["provider_id"]


def test_messages_come_in_order_of_arrival_and_can_be_paged_both_ways(sim):
    for number in range(6):
        sim.slack(text=f"message {number}")

    def numbers(**query):
        return [int(message["text"].split()[1]) for message in sim.messages(**query)]

    assert numbers() == [0, 1, 2, 3, 4, 5]
    assert numbers(limit=2) == [4, 5]
    assert numbers(after="msg_00000003") == numbers(after=3) == [3, 4, 5]
    assert numbers(before="msg_00000003", limit=1) == [1]


def test_the_list_is_filtered_by_channel_words_and_outcome(sim):
    sim.slack(text="Überweisung angekommen", about="dlv_7")
    sim.email("grace@example.com")
    sim.email("ada+reject@example.com")
    sim.whatsapp()

    def found(**query):
        return [message["channel"] for message in sim.messages(**query)]

    assert found() == ["slack", "email", "whatsapp"]
    assert found(channel="email") == ["email"]
    assert found(q="überWEISUNG") == found(q="dlv_7") == ["slack"]
    assert found(q="grace") == ["email"]
    assert found(q="nothing like it") == []
    assert found(outcome="refused") == ["email"]
    assert found(outcome="all") == ["slack", "email", "email", "whatsapp"]
    assert sim.call("GET", "/inbox/messages?outcome=maybe").status == 400


def test_a_refused_message_says_why_and_what_the_provider_answered(sim):
    sim.email("ada+reject@example.com")

    (message,) = sim.messages(outcome="refused")
    assert (message["outcome"], message["why"], message["status"]) == ("refused", "invalid_parameter", 400)
    assert "email is not valid in to" in message["answer"]
    assert message["content"]["htmlContent"]


def test_an_email_without_a_text_part_is_found_by_the_words_of_its_html(sim):
    sim.email(htmlContent="<style>p{}</style><p>Only <b>here</b></p>")

    assert sim.messages(q="only here")[0]["text"] == "Only here"


def test_emptying_the_inbox_keeps_the_ledger(sim):
    sim.slack()

    assert sim.call("DELETE", "/inbox/messages").status == 200

    assert sim.messages() == []
    assert len(sim.ledger()) == 1


def events(sim, count, path="/inbox/events"):
    """The first events of the stream, as (name, data)."""
    connection = http.client.HTTPConnection(sim.host, sim.port, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    found = []
    while len(found) < count:
        line = response.readline().decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    connection.close()
    return found


def test_new_messages_are_pushed_to_the_page(sim):
    threading.Timer(0.1, sim.slack).start()

    (hello, _), (name, messages) = events(sim, 2)

    assert (hello, name) == ("hello", "messages")
    assert messages[0]["text"] == "Build 42 is live"


def test_the_stream_begins_after_what_the_page_has(sim):
    sim.slack(text="old")
    sim.slack(text="new")

    (_, messages) = events(sim, 2, "/inbox/events?after=1")[1]

    assert [message["text"] for message in messages] == ["new"]


def test_an_emptied_inbox_is_told_to_the_page(sim):
    threading.Timer(0.1, sim.call, ("DELETE", "/inbox/messages")).start()

    assert [name for name, _ in events(sim, 2)] == ["hello", "cleared"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/inbox/inbox.css", "text/css"),
        ("/inbox/inbox.js", "text/javascript"),
        ("/inbox/channels.js", "text/javascript"),
        ("/inbox/markup.js", "text/javascript"),
        ("/inbox/icons.js", "text/javascript"),
        ("/inbox/icon.svg", "image/svg+xml"),
        ("/favicon.ico", "image/svg+xml"),
    ],
)
def test_the_page_is_served_whole_from_here(sim, path, kind):
    answer = sim.call("GET", path)

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_never_parses_a_string_as_html():
    parsers = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    for script in PAGE.glob("*.js"):
        source = script.read_text(encoding="utf-8")
        assert not [parser for parser in parsers if parser in source]


def test_the_frame_of_an_email_allows_no_scripts():
    source = (PAGE / "channels.js").read_text(encoding="utf-8")

    assert 'sandbox: "allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in source


def test_the_page_loads_nothing_from_elsewhere():
    page = (PAGE / "index.html").read_text(encoding="utf-8") + (PAGE / "inbox.css").read_text(encoding="utf-8")

    assert "http" not in page.replace("http-equiv", "")


def test_the_newest_messages_are_kept_and_refusals_do_not_push_them_out(monkeypatch):
    monkeypatch.setattr(shelves, "MESSAGES_KEPT", 10)
    monkeypatch.setattr(shelves, "REFUSALS_KEPT", 3)
    inbox = Inbox()
    for _ in range(20):
        inbox.add(**FIELDS)
    for _ in range(50):
        inbox.add(**{**FIELDS, "accepted": False})

    assert [message.seq for message in inbox.find(Search())] == list(range(11, 21))
    assert len(inbox.find(Search(accepted=False))) == 3


def test_big_messages_are_bounded_by_size(monkeypatch):
    monkeypatch.setattr(shelves, "BYTES_KEPT", 10_000)
    inbox = Inbox()
    for _ in range(20):
        inbox.add(**FIELDS, content={"htmlContent": "x" * 1_000})

    assert 5 <= len(inbox.find(Search())) <= 10


def test_a_journal_is_shortened_when_it_has_grown_to_twice_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(shelves, "MESSAGES_KEPT", 4)
    monkeypatch.setattr(shelves, "REFUSALS_KEPT", 1)
    path = tmp_path / "messages.jsonl"
    inbox = Inbox(path)
    for _ in range(50):
        inbox.add(**FIELDS)
    inbox.close()

    assert len(path.read_text().splitlines()) <= 10
    again = Inbox(path)
    assert again.last == 50
    again.close()


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path):
    path = tmp_path / "messages.jsonl"
    inbox = Inbox(path)
    inbox.add(**FIELDS)
    inbox.close()
    with path.open("a") as journal:
        journal.write('{"seq": 2, "chan')

    again = Inbox(path)
    assert [message.seq for message in again.find(Search())] == [1]
    again.close()


def test_health_tells_that_it_is_up_and_what_it_holds(sim):
    sim.slack()

    body = sim.call("GET", "/health").body
    assert (body["status"], body["slack"], body["calls"]) == ("ok", 1, 1)


def test_a_connection_is_kept_for_further_calls(sim):
    connection = http.client.HTTPConnection(sim.host, sim.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/health")
        assert connection.getresponse().read()
    kept = connection.sock
    connection.close()

    assert kept is not None


def test_a_burst_of_connections_is_not_reset(sim):
    sockets = [socket.create_connection((sim.host, sim.port), timeout=5) for _ in range(200)]
    for each in sockets:
        each.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert all(each.recv(64).startswith(b"HTTP/1.1 200") for each in sockets)
    for each in sockets:
        each.close()


def test_it_listens_on_the_given_address_only():
    with Server("127.0.0.1", 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_body_without_a_length_or_beyond_the_limit_is_not_read(sim):
    with socket.create_connection((sim.host, sim.port), timeout=5) as connection:
        connection.sendall(b"POST /brevo/v3/smtp/email HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_nothing_is_found_where_nothing_is(sim):
    assert sim.call("GET", "/../../etc/passwd").status == 404
    assert sim.call("GET", "/inbox/../server.py").status == 404
