"""Connections to providers that are kept open between calls: one call at a time has each."""

from __future__ import annotations

from functools import cache
from select import POLLIN, poll
from typing import TYPE_CHECKING

from nofy.domain.timing import PROVIDER_CONNECT_TIMEOUT

if TYPE_CHECKING:
    from ssl import SSLContext
    from urllib.parse import SplitResult

    from nofy.adapters.providers.wire import Wire

# Kept at most for each provider: as many as a sender has calls in flight.
KEPT = 32


class NotReachedError(Exception):
    """No connection was made, so that nothing was asked; its cause's name says why."""


class Connections:
    """Opened when first used, in the event loop that runs then."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str], list[Wire]] = {}

    async def take(self, address: SplitResult) -> Wire:
        """One to the address's server that still stands, else a new one. Raises :class:`NotReachedError`."""
        idle = self._idle.get((address.scheme, address.netloc))
        while idle:
            wire = idle.pop()
            if not _hung_up(wire):
                return wire
            wire.hang_up()
        return await _connected(address)

    def give_back(self, address: SplitResult, wire: Wire) -> None:
        """For the next call. Its answer has been read to the end."""
        idle = self._idle.setdefault((address.scheme, address.netloc), [])
        if len(idle) >= KEPT:
            wire.hang_up()
        else:
            idle.append(wire)

    async def close(self) -> None:
        """Hang up; the next call connects again."""
        for idle in self._idle.values():
            while idle:
                await idle.pop().end()


async def _connected(address: SplitResult) -> Wire:
    import asyncio

    from nofy.adapters.providers.wire import Wire

    if not address.hostname:
        raise NotReachedError("no host")
    secure = address.scheme == "https"
    port = address.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(PROVIDER_CONNECT_TIMEOUT):
            _, wire = await asyncio.get_running_loop().create_connection(
                Wire, address.hostname, port, ssl=_trusting() if secure else None
            )
    except OSError as error:  # a name, a door, a certificate (SSLError is one), the time: nothing was asked yet
        raise NotReachedError(type(error).__name__) from error
    if wire.has_ended:  # it would never say so again, and whoever asked would wait for the whole time-out
        raise NotReachedError("ConnectionResetError")
    return wire


@cache
def _trusting() -> SSLContext:
    """Made once: reading the system's certificates takes 20 ms."""
    from ssl import create_default_context

    return create_default_context()


def _hung_up(wire: Wire) -> bool:
    """Between two calls a provider has nothing to say: what can be read then is the end.

    Looked for in the socket itself, as between two invokes no loop runs that would have noticed.
    """
    if wire.has_ended:
        return True
    waiting = poll()
    waiting.register(wire.descriptor, POLLIN)
    return bool(waiting.poll(0))
