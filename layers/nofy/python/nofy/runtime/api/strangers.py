"""Who showed tokens lately that nobody holds, by the address they came from, so that guessing costs no queries.

A token cannot be guessed: it is 178 bits. But its checksum can be made by anybody, and each new guess would be a query.
The count is one process's own: it asks nobody, and however many processes there are, each bounds what it asks itself.
Behind a proxy many share an address; whoever is known already is let in without coming by here.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import RateLimitedError

if TYPE_CHECKING:
    from datetime import datetime

    from nofy.ports.clock import Clock

# Unknown tokens of one address in a window; a server that kept a revoked one shows the same one and counts once.
MOST = 100
WINDOW = timedelta(seconds=60)
REMEMBERED = 10_000  # addresses, about a MB


class Strangers:
    """One process's count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def refuse_guesser(self, address: str) -> None:
        """Raises RateLimitedError for whoever guessed too often in this window."""
        began, times = self._window(address)
        if times >= MOST:
            raise RateLimitedError(max(1, round((began + WINDOW - self._clock()).total_seconds())))

    def note(self, address: str) -> None:
        """A token from there was nobody's."""
        began, times = self._window(address)
        self._seen[address] = began, times + 1
        self._seen.move_to_end(address)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _window(self, address: str) -> tuple[datetime, int]:
        now = self._clock()
        began, times = self._seen.get(address, (now, 0))
        return (now, 0) if now - began >= WINDOW else (began, times)
