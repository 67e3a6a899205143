"""How much a project asks for. Pure; ``adapters/redis/admit.lua`` and ``spend.lua`` are these functions where every
function's processes share one state, and ``tests/contract/test_quotas.py`` holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nofy.domain.rates import Rate

_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Share:
    """What was asked for is had or not; ``remaining`` of it can be had at once, all of it ``reset`` from now on."""

    had: bool
    remaining: int
    reset: timedelta
    wait: timedelta = timedelta(0)


def admit(tat: datetime, rate: Rate, now: datetime) -> tuple[Share, datetime]:
    """One request by the generic cell rate algorithm: ``tat`` is when the rate will be as if never used."""
    interval = rate.interval // _MICROSECOND * _MICROSECOND
    tolerance = interval * (rate.burst - 1)
    tat = max(tat, now)
    wait = tat - tolerance - now
    if wait > timedelta(0):
        return Share(had=False, remaining=0, reset=tat - now, wait=wait), tat
    tat += interval
    remaining = (interval * rate.burst - (tat - now)) // interval
    return Share(had=True, remaining=remaining, reset=tat - now), tat


def spend(used: int, quota: int, notifications: int, now: datetime) -> tuple[Share, int]:
    """So many of a day's quota, all or none; fewer than none gives some back."""
    left = midnight_after(now) - now
    if notifications > 0 and used + notifications > quota:
        return Share(had=False, remaining=max(0, quota - used), reset=left, wait=left), used
    used = max(0, used + notifications)
    return Share(had=True, remaining=max(0, quota - used), reset=left), used


def midnight_after(now: datetime) -> datetime:
    """When the day's quota begins anew, in UTC."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)


def seconds(time: timedelta) -> int:
    """Whole seconds, rounded up: who comes back then is not too early."""
    return -(-time // _SECOND)
