"""A provider that costs next to nothing: ``python -m bench.stub --port N``. It answers as Brevo, Slack and WhatsApp do.

One thread, one event loop, no parsing beyond what finds the end of a request: on two cores everything the stub does is
taken from what is measured. Who is called is told by the path; the number of the message stands in its text
(``bench-17``), and when it came is kept, for ``GET /arrivals``.

    POST /reset {"delay": 0.05, "in_flight": 32}   forget arrivals; answer after so many seconds, so many at once
    GET  /arrivals                                 [[17, 1764271000.123], ...]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import Popen
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from local.artefacts import PYTHON, ROOT
from local.ports import free_ports, is_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = re.compile(rb"bench-(\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BACKLOG = 1024
START_SECONDS = 20.0

ANSWERS = {
    b"/brevo": (b"201 Created", b'{"messageId":"<bench@brevo>"}'),
    b"/slack": (b"200 OK", b'{"ok":true,"channel":"C0BENCH","ts":"1.2"}'),
    b"/whatsapp": (
        b"200 OK",
        b'{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.bench"}]}',
    ),
}


def _whole(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


_READY = {path: _whole(*answer) for path, answer in ANSWERS.items()}


@dataclass
class Book:
    """What all connections share. ``waiting``: calls for which there is no room yet, if room is bounded."""

    arrivals: list[tuple[int, float]] = field(default_factory=list)
    delay: float = 0.0
    in_flight: int | None = None
    under_way: int = 0
    most_under_way: int = 0
    waiting: deque[tuple[_Connection, bytes]] = field(default_factory=deque)


class _Connection(asyncio.Protocol):
    """Requests come one at a time: no client of ours sends the next before it has the answer."""

    def __init__(self, book: Book, loop: asyncio.AbstractEventLoop) -> None:
        self._book, self._loop = book, loop
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end + 2)
        if len(self._received) < end + 4 + (int(length[1]) if length else 0):
            return
        request, self._received = self._received, b""
        self._take(request, request[end + 4 :])

    def _take(self, request: bytes, body: bytes) -> None:
        path = request.split(b" ", 2)[1]
        if path == b"/reset":
            self._reset(json.loads(body))
        elif path == b"/arrivals":
            self.answer(_whole(b"200 OK", json.dumps(self._book.arrivals).encode()))
        else:
            self._call(path, body)

    def _reset(self, asked: dict[str, Any]) -> None:
        book = self._book
        book.arrivals, book.most_under_way = [], 0
        book.delay, book.in_flight = asked.get("delay", 0.0), asked.get("in_flight")
        self.answer(_whole(b"200 OK", b"{}"))

    def _call(self, path: bytes, body: bytes) -> None:
        book = self._book
        number = _NUMBER.search(body)
        book.arrivals.append((int(number[1]) if number else -1, time.time()))
        ready = _READY[b"/" + path.split(b"/", 2)[1]]
        if not book.delay:
            self.answer(ready)
        elif book.in_flight is not None and book.under_way >= book.in_flight:
            book.waiting.append((self, ready))
        else:
            self._serve(ready)

    def _serve(self, ready: bytes) -> None:
        self._book.under_way += 1
        self._book.most_under_way = max(self._book.most_under_way, self._book.under_way)
        self._loop.call_later(self._book.delay, self._served, ready)

    def _served(self, ready: bytes) -> None:
        self._book.under_way -= 1
        self.answer(ready)
        if self._book.waiting:
            connection, following = self._book.waiting.popleft()
            connection._serve(following)  # noqa: SLF001  # (another connection of ours)

    def answer(self, whole: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(whole)


async def serve(port: int) -> None:
    book, loop = Book(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(book, loop), "127.0.0.1", port, backlog=_BACKLOG)
    await server.serve_forever()


@dataclass(frozen=True)
class Stub:
    """A stub in a process of its own."""

    url: str
    pid: int

    def reset(self, delay: float = 0.0, in_flight: int | None = None) -> None:
        self._ask("/reset", json.dumps({"delay": delay, "in_flight": in_flight}).encode())

    def arrivals(self) -> list[tuple[int, float]]:
        """The number of each message that came, and when, in the order of their coming."""
        return [(number, at) for number, at in json.loads(self._ask("/arrivals"))]

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        with urlopen(Request(self.url + path, data=body), timeout=START_SECONDS) as answer:  # noqa: S310  # (ours)
            return bytes(answer.read())


@contextmanager
def running() -> Iterator[Stub]:
    """For the length of a block."""
    (port,) = free_ports(1)
    process = Popen([PYTHON, "-m", "bench.stub", "--port", str(port)], cwd=ROOT)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not is_listening(port):
            assert process.poll() is None, "the stub ended"
            assert time.monotonic() < deadline, "the stub did not start"
            time.sleep(0.02)
        yield Stub(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.stub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
