"""How much due work each lane may have in Kafka: the rest waits in Redis.

In Redis due work can still be reordered, cancelled and shared fairly; in Kafka's FIFO it cannot. So each lane
has a credit: a target lag minus what its consumers have not read yet.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain.errors import BusUnavailableError
from nofy.domain.routing import LANES, Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nofy.ports.bus import Offsets
    from nofy.ports.clock import Clock

log = logging.getLogger(__name__)

# Records a lane may have waiting in Kafka: about two seconds of work at the rate one laptop's pipeline reaches
# (2,700/s measured), enough to keep consumers busy between two turns.
TARGET_LAG = 5_000
# Taken from a lane in one turn at most; a turn over all lanes stays far inside the claim's lease.
TURN_LIMIT = 500
# Even a lane whose consumers lag gets this much a turn, so that it is slow and never starved.
FLOOR = 10
# A lane is measured again when this much of its credit is gone, and at most this often.
MEASURE_AFTER = TARGET_LAG // 2
MEASURE_EVERY = timedelta(seconds=1)


class LaneCredit:
    """Credit per lane, measured only where it runs low: an idle system asks Kafka nothing."""

    def __init__(self, offsets: Offsets, clock: Clock) -> None:
        self._offsets = offsets
        self._clock = clock
        self._used: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self._measured: dict[Lane, datetime] = {}

    def limits(self) -> dict[Lane, int]:
        """What each lane may be given in the next turn, high lanes first."""
        return {lane: self._limit(lane) for lane in LANES}

    def spend(self, lanes: Iterable[Lane]) -> None:
        """Note records produced, one lane each."""
        for lane in lanes:
            self._used[lane] += 1

    def _limit(self, lane: Lane) -> int:
        if self._used[lane] >= MEASURE_AFTER:
            self._measure(lane)
        return max(FLOOR, min(TURN_LIMIT, TARGET_LAG - self._used[lane]))

    def _measure(self, lane: Lane) -> None:
        now = self._clock()
        if now - self._measured.get(lane, now - MEASURE_EVERY) < MEASURE_EVERY:
            return
        self._measured[lane] = now
        try:
            self._used[lane] = self._offsets.lag(lane.group, lane.topic)
        except BusUnavailableError:
            log.warning("lag not known; the lane keeps its credit", extra={"lane": lane.name}, exc_info=True)
