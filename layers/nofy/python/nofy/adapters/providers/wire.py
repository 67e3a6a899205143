"""One connection to a provider: a request leaves in one piece, and httptools reads its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

if TYPE_CHECKING:
    from nofy.adapters.providers.http import Answer


class Wire(asyncio.Protocol):
    """Speaks to one server, one request at a time."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._reading: _Reading | None = None
        self._ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes, most: int) -> tuple[Answer, bool]:
        """The answer, its body cut at ``most`` bytes, and whether the connection is good for another request.

        Raises ConnectionError where the connection ends before the answer does, or what comes is none, and what TLS
        says (an OSError too).
        """
        reading = self._reading = _Reading(most)
        self._transport.write(request)
        try:
            answer = await reading.answered
        finally:
            self._reading = None
        return answer, reading.reusable and not self.has_ended

    @property
    def has_ended(self) -> bool:
        return self._transport.is_closing()

    @property
    def descriptor(self) -> int:
        """Of the socket, for whoever wants to look whether something lies in it."""
        return int(self._transport.get_extra_info("socket").fileno())

    def hang_up(self) -> None:
        """At once: nothing that is on its way is waited for."""
        self._transport.abort()

    async def end(self) -> None:
        self.hang_up()
        await self._ended.wait()

    def data_received(self, data: bytes) -> None:
        if self._reading is None:  # nobody asked for anything
            self.hang_up()
        else:
            self._reading.feed(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set()
        if self._reading:
            self._reading.end(error)


class _Reading:
    """An answer on its way. httptools calls what begins with ``on_``."""

    def __init__(self, most: int) -> None:
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.reusable = False
        self._most = most
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._in_body = False

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:  # (nobody asked for another protocol)
            self._fail(ConnectionError(str(error)))

    def end(self, error: Exception | None) -> None:
        """The connection is gone; an answer that says nothing of its length ends with it."""
        if error is None and self._in_body and not {"content-length", "transfer-encoding"} & self._headers.keys():
            self._answer()
        else:
            self._fail(error or ConnectionResetError("hung up before the end of the answer"))

    def on_message_begin(self) -> None:
        if self.answered.done():  # more than was asked for: whose answer the next one were, nobody could tell
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) >= self._most:
            self._answer()

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200 and not self.answered.done():
            self.reusable = self._parser.should_keep_alive()
            self._answer()
        self._headers, self._in_body = {}, False  # (it was "100 Continue" and the like: the answer follows)

    def _answer(self) -> None:
        from nofy.adapters.providers.http import Answer

        if not self.answered.done():
            status = self._parser.get_status_code()
            self.answered.set_result(Answer(status, self._headers, bytes(self._body[: self._most])))

    def _fail(self, error: Exception) -> None:
        self.reusable = False
        if not self.answered.done():
            self.answered.set_exception(error)
