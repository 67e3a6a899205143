"""Who called lately, so that a token check costs no query each time.

An entry holds for twenty seconds, and no longer than the project's version in Redis, which changes with every
membership, token, integration or limit: so what was revoked stops at once, and within half a minute where Redis
cannot be asked.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from nofy.domain.notification import Principal
    from nofy.ports.clock import Clock

LIFETIME = timedelta(seconds=20)
MOST = 10_000  # of each kind, a few MB

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Entry:
    """A principal as it was loaded; ``version`` None: Redis could not be asked then."""

    principal: Principal
    loaded_at: datetime
    version: str | None


class Principals:
    """Entries by the digest of an API token, or by person, project and mode; and digests that nobody holds.

    In two parts, so that whoever tries tokens by the thousand pushes out nobody but themselves.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: _Latest[Entry] = _Latest()
        self._refused: _Latest[datetime] = _Latest()

    def entry(self, key: object) -> Entry | None:
        """What was loaded last, whether it still holds or not."""
        return self._known.get(key)

    def holds(self, entry: Entry, version: str | None) -> bool:
        """Whether it does. ``version`` is the project's now; None: it cannot be asked."""
        now = self._clock()
        ends = min(entry.loaded_at + LIFETIME, entry.principal.valid_until or datetime.max.replace(tzinfo=now.tzinfo))
        return now < ends and version in (None, entry.version)

    def keep(self, key: object, principal: Principal, version: str | None) -> None:
        self._known.put(key, Entry(principal, self._clock(), version))

    def forget(self, key: object) -> None:
        self._known.drop(key)

    def refuse(self, digest: bytes) -> None:
        """Nobody holds this token. Who makes one with its digest later does not exist: tokens are random."""
        self._refused.put(digest, self._clock())

    def is_refused(self, digest: bytes) -> bool:
        refused_at = self._refused.get(digest)
        return refused_at is not None and self._clock() < refused_at + LIFETIME


class _Latest(Generic[Value]):
    """The entries used last, so many at most."""

    def __init__(self) -> None:
        self._entries: OrderedDict[object, Value] = OrderedDict()

    def get(self, key: object) -> Value | None:
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: object, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > MOST:
            self._entries.popitem(last=False)

    def drop(self, key: object) -> None:
        self._entries.pop(key, None)
