"""One GET to an identity service: bounded in time and size, no redirects, no second try.

A redirect would carry a person's credential to an address nobody configured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from nofy.domain.errors import IdentityUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, PoolManager

# Seconds, and bytes. The deadline is for all of it: a server that sends a byte every four seconds ends there too.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 5.0
DEADLINE = 8.0
MAX_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any] | None:
        """The answer's JSON object, or None if it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class Fetcher:
    """Keeps connections open between invokes."""

    def __init__(self, deadline: float = DEADLINE, read_timeout: float = READ_TIMEOUT) -> None:
        self._deadline = deadline
        self._read_timeout = read_timeout
        self._pool: PoolManager | None = None

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Ask once. IdentityUnavailableError when no whole answer comes in time."""
        from urllib3.exceptions import HTTPError

        until = monotonic() + self._deadline
        try:
            asked = {"user-agent": "nofy", "accept": "application/json", **(headers or {})}
            response = self._connected().request(
                "GET", url, headers=asked, redirect=False, retries=False, preload_content=False
            )
            with response:
                body = self._body(response, until)
        except (HTTPError, OSError) as error:
            raise IdentityUnavailableError(f"no answer: {type(error).__name__}") from error
        return Fetched(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _body(self, response: BaseHTTPResponse, until: float) -> bytes:
        body = bytearray()
        while part := response.read1(16 * 1024):
            body += part
            if len(body) > MAX_ANSWER or monotonic() > until:
                response.close()
                raise IdentityUnavailableError("the answer is too long or takes too long")
        return bytes(body)

    def _connected(self) -> PoolManager:
        if self._pool is None:
            from urllib3 import PoolManager, Timeout

            self._pool = PoolManager(timeout=Timeout(connect=CONNECT_TIMEOUT, read=self._read_timeout))
        return self._pool

    def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            self._pool.clear()
