"""What projects ask for, in Redis: one script and one trip a request; a project's keys share a hash slot.

Times travel as microseconds since 1970, as those of the limiter do.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nofy.adapters.redis.connection import Connection, script
from nofy.domain.quotas import Share, midnight_after, seconds
from nofy.domain.rates import Rate
from nofy.ports.accounts import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from nofy.domain.accounts import ProjectLimits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_KEPT = 2 * 86_400
# Far longer than anybody caches what rests on it; forgotten, it is another version, and is asked for once more.
_VERSION_KEPT = 3_600


class RedisQuotas:
    """Implements :class:`nofy.ports.accounts.Quotas`. Connects when first used."""

    def __init__(
        self, url: str, *, timeout: float, password: Callable[[], str] | None = None, cluster: bool = False
    ) -> None:
        self._connection = Connection(url, timeout=timeout, password=password, cluster=cluster)
        self.trips = 0  # counted for the tests that bound them

    def ask(self, project_id: UUID, limits: ProjectLimits, now: datetime) -> Allowance:
        rate = Rate(limits.requests_per_second, limits.burst)
        keys = [_key(project_id, "requests"), _key(project_id, "version")]
        arguments = [(now - _EPOCH) // _MICROSECOND, rate.interval // _MICROSECOND, rate.burst]
        had, remaining, reset, wait, version = self._run("admit", keys, arguments)
        share = Share(bool(had), remaining, reset * _MICROSECOND, wait * _MICROSECOND)
        return allowance_of(share, limits.burst, version.decode())

    def spend(self, project_id: UUID, limits: ProjectLimits, notifications: int, now: datetime) -> Allowance:
        quota = limits.notifications_per_day
        assert quota is not None
        keys = [_key(project_id, f"day:{now.astimezone(UTC):%Y%m%d}")]
        had, used = self._run("spend", keys, [quota, notifications, _DAY_KEPT])
        left = midnight_after(now) - now
        share = Share(bool(had), max(0, quota - used), left, timedelta(0) if had else left)
        return allowance_of(share, quota)

    def changed(self, project_id: UUID) -> None:
        key = _key(project_id, "version")
        with self._connection.translated():
            self.trips += 1
            self._connection.of(key).set(key, secrets.token_hex(8), ex=_VERSION_KEPT)

    def close(self) -> None:
        """Hang up; the next use connects again."""
        self._connection.close()

    def _run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:
        with self._connection.translated():
            self.trips += 1
            return self._connection.of(keys[0]).eval(script(name), len(keys), *keys, *arguments)


def allowance_of(share: Share, limit: int, version: str | None = None) -> Allowance:
    """A share as the API tells it, in whole seconds."""
    return Allowance(share.had, limit, share.remaining, seconds(share.reset), seconds(share.wait), version)


def _key(project_id: UUID, name: str) -> str:
    return f"nofy:{{{project_id.hex}}}:{name}"
