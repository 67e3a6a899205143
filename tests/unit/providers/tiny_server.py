"""An HTTP server that does exactly what a test tells it to, byte by byte, and counts what it is asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

# What the fixture ``run`` is: a coroutine in, its result out.
Run = Callable[[Coroutine[Any, Any, Any]], Any]

# Closing with a linger of zero seconds resets the connection instead of ending it.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; header names in lower case."""

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """The bytes of a complete answer; ``Retry_After="3"`` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


RESET = b"RESET"
CLOSE = b"CLOSE"
SILENCE = b"SILENCE"
DRIP = b"DRIP "  # before an answer: it comes byte by byte, the next within a tenth of a second


@dataclass
class TinyServer:
    """Answers each request with the next of ``replies``, the last of them for ever; a context manager."""

    replies: list[bytes]
    then_close: bool = False  # hang up after each answer, without having said so
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))  # one for each connection

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            each.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with connection.makefile("rb") as stream:
                while asked := _read(stream, number):
                    self.asked.append(asked)
                    if not self._answer(connection):
                        break
        except OSError:
            pass
        connection.close()
        self.hung_up.release()

    def _answer(self, connection: socket.socket) -> bool:
        say = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if say == SILENCE:
            self._ended.wait(5)
        elif say == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif say.startswith(DRIP):
            for each in say.removeprefix(DRIP):
                connection.sendall(bytes([each]))
                self._ended.wait(0.05)
        elif say != CLOSE:
            connection.sendall(say)
            return not self.then_close
        return False


def _read(stream: Any, connection: int) -> Asked | None:
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(connection, line, headers, stream.read(int(headers.get("content-length", 0))))


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
