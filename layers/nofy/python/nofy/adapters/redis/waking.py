"""Waiting for a wake, to the millisecond.

Redis sees that a blocked client's time is over when it is awake, and an idle one wakes up ten times a second (``hz``):
a ``BLPOP`` of 20 ms takes up to 100, and what was due then is that much late. So the time is kept here. ``BLPOP`` is
asked for longer than anybody sleeps, its answer is looked for as long as the sleeper has time, and what has not come is
what the next sleep looks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nofy.adapters.redis.connection import Connection


class Waking:
    """One sleeper's. Raises redis-py's errors: whoever calls translates them."""

    def __init__(self, connection: Connection, key: str, longest: float) -> None:
        """``longest``: seconds after which Redis answers anyhow, so that a sleeper who is gone takes nobody's wake."""
        self._connection, self._key, self._longest = connection, key, longest
        self._asked: tuple[Any, Any] | None = None  # a connection of a pool, with a question on its way

    def wait(self, seconds: float) -> None:
        """Until somebody wakes, or this long."""
        try:
            pool, asked = self._asked or self._ask()
            if asked.can_read(timeout=seconds):
                asked.read_response()
                self._asked = None
                pool.release(asked)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Forget the question, and hang up: its answer must not be taken for another's."""
        if self._asked is not None:
            (pool, asked), self._asked = self._asked, None
            asked.disconnect()
            pool.release(asked)

    def _ask(self) -> tuple[Any, Any]:
        pool: Any = self._connection.of(self._key).connection_pool
        self._asked = pool, pool.get_connection()
        self._asked[1].send_command("BLPOP", self._key, self._longest)
        return self._asked
