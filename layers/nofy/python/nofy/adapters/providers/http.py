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

from nofy.domain.outcomes import Exchange, Outcome, Transient, Unknown, word
from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse, PoolManager

Read = TypeVar("Read")

# As many connections as there are calls in flight: none waits for another's connection.
POOL_SIZE = 32
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


def _body(response: BaseHTTPResponse, until: float) -> bytes:
    """The answer's body, cut at :data:`MAX_ANSWER`. TimeoutError where it comes byte by byte for too long."""
    body = bytearray()
    while len(body) < MAX_ANSWER and (part := response.read1(_PART)):
        body += part
        if monotonic() > until:
            raise TimeoutError("the answer takes too long")
    return bytes(body[:MAX_ANSWER])


def _without(secret: str, body: bytes) -> bytes:
    return body if len(secret) < _SHORTEST_SECRET else body.replace(secret.encode(), b"[credential]")


class HttpClient:
    """Keeps connections open between invokes; safe to use from many threads."""

    def __init__(self) -> None:
        self._pool: PoolManager | None = None

    def ask(self, request: Request, read: Callable[[Answer], Read]) -> Read | Transient | Unknown:
        """Ask once; ``read`` says what the answer means."""
        from urllib3.exceptions import ConnectTimeoutError as ConnectTimeout
        from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

        try:
            answer = self._ask(request)
        except (ConnectTimeout, NewConnectionError, NameResolutionError) as error:
            return Transient(f"not reached: {type(error).__name__}")
        except (HTTPError, OSError) as error:
            return Unknown(f"no answer: {type(error).__name__}")
        return read(answer)

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
        until = monotonic() + PROVIDER_CONNECT_TIMEOUT + PROVIDER_TIMEOUT
        response = self._connected().request(
            "GET" if request.body is None else "POST",
            request.url,
            body=None if request.body is None else json.dumps(request.body, ensure_ascii=False).encode(),
            headers={"user-agent": "nofy", **request.headers},
            preload_content=False,
        )
        try:
            body = _body(response, until)
        finally:
            response.close()  # the connection too, unless all of the answer was read
            response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, _without(request.secret, body))

    def _connected(self) -> PoolManager:
        if self._pool is None:
            from urllib3 import PoolManager, Timeout

            timeout = Timeout(connect=PROVIDER_CONNECT_TIMEOUT, read=PROVIDER_TIMEOUT)
            self._pool = PoolManager(maxsize=POOL_SIZE, block=True, timeout=timeout, retries=False)
        return self._pool
