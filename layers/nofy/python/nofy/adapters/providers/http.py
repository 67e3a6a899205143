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
from nofy.domain.outcomes import Exchange, Outcome, Transient, Unknown, word
from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPConnection, HTTPResponse

Read = TypeVar("Read")

# The longest answer is Slack's, which repeats the message: 256 KB of it, escaped. What is longer is cut.
MAX_ANSWER = 2 * 1024 * 1024
_PART = 64 * 1024
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


def _body(response: HTTPResponse, until: float) -> bytes:
    """The answer's body, cut at :data:`MAX_ANSWER`. TimeoutError where it comes byte by byte for too long."""
    from http.client import IncompleteRead

    body = bytearray()
    while len(body) < MAX_ANSWER and (part := response.read1(_PART)):
        body += part
        if monotonic() > until:
            raise TimeoutError("the answer takes too long")
    if len(body) < MAX_ANSWER and response.length:  # read1 says nothing of what was promised and did not come
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body[:MAX_ANSWER])


def _without(secret: str, body: bytes) -> bytes:
    return body if len(secret) < _SHORTEST_SECRET else body.replace(secret.encode(), b"[credential]")


def _name(error: Exception) -> str:
    """One name for every way in which a connection ends: reasons group dead letters."""
    from http.client import IncompleteRead

    return "ConnectionError" if isinstance(error, ConnectionError | IncompleteRead) else type(error).__name__


class HttpClient:
    """Keeps connections open between invokes; safe to use from many threads."""

    def __init__(self) -> None:
        self._connections = Connections()

    def ask(self, request: Request, read: Callable[[Answer], Read]) -> Read | Transient | Unknown:
        """Ask once; ``read`` says what the answer means."""
        from http.client import HTTPException

        try:
            answer = self._ask(request)
        except NotReachedError as error:
            return Transient(f"not reached: {error}")
        except (HTTPException, OSError) as error:
            return Unknown(f"no answer: {_name(error)}")
        return read(answer)

    def close(self) -> None:
        """Hang up; the next call connects again."""
        self._connections.close()

    def exchange(
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
        outcome = self.ask(request, listen)
        took = round((monotonic() - begun) * 1000)
        answered = [(answer.status, word(code(answer))) for answer in heard]
        return replace(outcome, exchange=Exchange("POST", path, took, *(answered[0] if answered else ())))

    def _ask(self, request: Request) -> Answer:
        connection = self._connections.take(request.url)
        try:
            answer, whole = _asked(connection, request)
        except BaseException:
            connection.close()  # in whatever state it is
            raise
        if whole:
            self._connections.give_back(request.url, connection)
        else:
            connection.close()
        return answer


def _asked(connection: HTTPConnection, request: Request) -> tuple[Answer, bool]:
    """The answer, and whether it was read to its end."""
    until = monotonic() + PROVIDER_CONNECT_TIMEOUT + PROVIDER_TIMEOUT
    connection.request(
        "GET" if request.body is None else "POST",
        _target(request.url),
        body=None if request.body is None else json.dumps(request.body, ensure_ascii=False).encode(),
        headers={"user-agent": "nofy", **request.headers},
    )
    response = connection.getresponse()
    with response:
        body = _body(response, until)
        whole = response.isclosed() or response.length == 0
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, _without(request.secret, body)), whole


def _target(url: str) -> str:
    """What is asked for of its server: the address without whose it is."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
