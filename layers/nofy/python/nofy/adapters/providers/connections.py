"""Connections to providers that are kept open between calls: one caller at a time has each.

On the standard library's client, which is what urllib3 stands on: a call costs a third of what it did through urllib3
(0.13 against 0.43 ms of CPU, 4,000 calls of a stub on loopback by 32 threads), and what urllib3 adds (retries,
redirects, proxies, decoding) is nothing that a provider may be called with.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from select import POLLIN, poll
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT, PROVIDER_TIMEOUT

if TYPE_CHECKING:
    from http.client import HTTPConnection
    from ssl import SSLContext
    from urllib.parse import SplitResult

# Kept at most for each provider: as many as a sender has calls in flight.
KEPT = 32


class NotReachedError(Exception):
    """No connection was made, so that nothing was asked; its cause's name says why."""


class Connections:
    """Opened when first used; safe to use from many threads."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str], list[HTTPConnection]] = {}

    def take(self, address: str) -> HTTPConnection:
        """One to the address's server that still stands, else a new one. Raises :class:`NotReachedError`."""
        parts = urlsplit(address)
        idle = self._idle.get((parts.scheme, parts.netloc))
        while idle:
            with suppress(IndexError):  # another thread took the last one
                connection = idle.pop()
                if not _hung_up(connection):
                    return connection
                connection.close()
        return _connected(parts)

    def give_back(self, address: str, connection: HTTPConnection) -> None:
        """For the next call. Its answer has been read to the end."""
        parts = urlsplit(address)
        idle = self._idle.setdefault((parts.scheme, parts.netloc), [])
        if connection.sock is None or len(idle) >= KEPT:
            connection.close()
        else:
            idle.append(connection)

    def close(self) -> None:
        """Hang up; the next call connects again."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()


def _connected(parts: SplitResult) -> HTTPConnection:
    from nofy.adapters.providers.at_once import AtOnce, SecureAtOnce

    if parts.hostname is None:
        raise NotReachedError("no host")
    connection: HTTPConnection
    if parts.scheme == "https":
        connection = SecureAtOnce(parts.hostname, parts.port, timeout=PROVIDER_CONNECT_TIMEOUT, context=_trusting())
    else:
        connection = AtOnce(parts.hostname, parts.port, timeout=PROVIDER_CONNECT_TIMEOUT)
    try:
        connection.connect()
    except OSError as error:  # a name, a door, a certificate (SSLError is one): nothing was asked yet
        connection.close()
        raise NotReachedError(type(error).__name__) from error
    connection.sock.settimeout(PROVIDER_TIMEOUT)
    return connection


@cache
def _trusting() -> SSLContext:
    """Made once: reading the system's certificates takes 20 ms."""
    from ssl import create_default_context

    return create_default_context()


def _hung_up(connection: HTTPConnection) -> bool:
    """Between two calls a provider has nothing to say: what can be read then is the end."""
    waiting = poll()
    waiting.register(connection.sock, POLLIN)
    return bool(waiting.poll(0))
