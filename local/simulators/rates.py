"""Token buckets: how many messages a channel, a pair of people or a phone number bears."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from local.simulators.clock import Clock

# A bucket that was not touched while this many others were is full again anyway.
BUCKETS_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` on average, `burst` at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The providers' published limits (Slack and Meta per channel, pair and number; Brevo per account)."""

    enforced: bool = False
    slack_channel: Rate = Rate(per_second=1, burst=5)
    brevo_account: Rate = Rate(per_second=1000, burst=1000)
    whatsapp_pair: Rate = Rate(per_second=1 / 6, burst=45)
    whatsapp_number: Rate = Rate(per_second=80, burst=80)


class Buckets:
    """One bucket per name, made when first asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, rate: Rate) -> float:
        """Take one token. Returns 0.0, or the seconds until there would be one (nothing was taken then)."""
        with self._lock:
            level = self._level(name, rate)
            enough = level >= 1
            self._levels[name] = (level - 1 if enough else level, self._clock())
            return 0.0 if enough else (1 - level) / rate.per_second

    def left(self, name: str, rate: Rate) -> int:
        with self._lock:
            return int(self._level(name, rate))

    def clear(self) -> None:
        with self._lock:
            self._levels.clear()

    def _level(self, name: str, rate: Rate) -> float:
        now = self._clock()
        level, since = self._levels.pop(name, (rate.burst, now))
        level = min(rate.burst, level + (now - since) * rate.per_second)
        self._levels[name] = (level, now)
        if len(self._levels) > BUCKETS_KEPT:
            self._levels.popitem(last=False)
        return level
