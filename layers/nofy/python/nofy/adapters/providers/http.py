"""One HTTP call to a provider, and what its failure means.

No retries and no redirects: whether to ask again is the retry policy's to decide, once. What matters here is
whether the request may have left: a connection that was never made is ``Transient``, anything after that is
``Unknown``. An answer is bounded in time and size, and the credential is taken out of it: Meta repeats a token that
it cannot read, and reasons are stored and shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from nofy.adapters.providers.connections import Connections, NotReachedError
from nofy.domain.json_bytes import json_bytes
from nofy.domain.outcomes import Exchange, Outcome, Transient, Unknown, word
from nofy.domain.timing import PROVIDER_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

Read = TypeVar("Read")

# The longest answer is Slack's, which repeats the message: 256 KB of it, escaped. What is longer is cut.
MAX_ANSWER = 2 * 1024 * 1024
# Nothing shorter is a credential, and could be a word of any answer.
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask of a provider: with a body by POST, without one by GET. ``secret`` stays out of the answer."""

    url: str
    headers: Mapping[str, str]
    body: dict[str, Any] | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The answer's JSON object; an empty one if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def text(self) -> str:
        """The start of the answer, for a reason a person reads."""
        return self.body[:200].decode(errors="replace").strip()

    def retry_after(self, *names: str) -> float | None:
        """Seconds to wait, from the first of these headers that says so; a date counts from the answer's own."""
        for name in ("retry-after", *names):
            if (seconds := _seconds(self.headers.get(name), self.headers.get("date"))) is not None:
                return seconds
        return None


def _seconds(value: str | None, date: str | None) -> float | None:
    """``Retry-After`` is whole seconds or an HTTP date; "inf" would be no number in PostgreSQL's JSON."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_between(date, value)
    return max(0.0, seconds) if isfinite(seconds) else None


def _seconds_between(start: str | None, end: str) -> float | None:
    from email.utils import parsedate_to_datetime

    if start is None:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (TypeError, ValueError):
        return None


def _without(secret: str, body: bytes) -> bytes:
    return body if len(secret) < _SHORTEST_SECRET else body.replace(secret.encode(), b"[credential]")


def _name(error: Exception) -> str:
    """One name for every way in which a connection ends: reasons group dead letters."""
    return "ConnectionError" if isinstance(error, ConnectionError) else type(error).__name__


class HttpClient:
    """Keeps connections open between invokes, in one event loop."""

    def __init__(self) -> None:
        self._connections = Connections()

    async def ask(self, request: Request, read: Callable[[Answer], Read]) -> Read | Transient | Unknown:
        """Ask once; ``read`` says what the answer means. ValueError for what cannot be written as a request."""
        try:
            answer = await self._ask(request)
        except NotReachedError as error:
            return Transient(f"not reached: {error}")
        except OSError as error:
            return Unknown(f"no answer: {_name(error)}")
        return read(answer)

    async def close(self) -> None:
        """Hang up; the next call connects again."""
        await self._connections.close()

    async def exchange(
        self, request: Request, path: str, read: Callable[[Answer], Outcome], code: Callable[[Answer], Any]
    ) -> Outcome:
        """Ask once, for a message to be sent; the outcome tells what was asked and answered.

        ``path`` is what may be shown of the address, ``code`` finds the provider's own word for an error.
        """
        heard: list[Answer] = []

        def listen(answer: Answer) -> Outcome:
            heard.append(answer)
            return read(answer)

        begun = monotonic()
        outcome = await self.ask(request, listen)
        took = round((monotonic() - begun) * 1000)
        answered = [(answer.status, word(code(answer))) for answer in heard]
        return replace(outcome, exchange=Exchange("POST", path, took, *(answered[0] if answered else ())))

    async def _ask(self, request: Request) -> Answer:
        import asyncio

        address = urlsplit(request.url)
        written = _written(request, address)
        wire = await self._connections.take(address)
        try:
            async with asyncio.timeout(PROVIDER_TIMEOUT):
                answer, reusable = await wire.ask(written, MAX_ANSWER)
        except BaseException:
            wire.hang_up()  # in whatever state it is
            raise
        if reusable:
            self._connections.give_back(address, wire)
        else:
            wire.hang_up()
        return replace(answer, body=_without(request.secret, answer.body))


def _written(request: Request, address: SplitResult) -> bytes:
    """The bytes of a request. ValueError for a header or an address that would be read as something else."""
    body = b"" if request.body is None else json_bytes(request.body)
    headers = {"host": address.netloc.rpartition("@")[2], "accept-encoding": "identity", "user-agent": "nofy"}
    headers |= request.headers
    if request.body is not None:
        headers["content-length"] = str(len(body))
    lines = [f"{'GET' if request.body is None else 'POST'} {_target(address)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not all(each.isprintable() for each in lines) or " " in _target(address):
        raise ValueError("a header or an address with characters that it must not have")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _target(address: SplitResult) -> str:
    """What is asked for of its server: the address without whose it is."""
    path = address.path or "/"
    return f"{path}?{address.query}" if address.query else path
