"""A sender's calls: when each has its answer."""

from __future__ import annotations

import heapq
import math
import statistics
from random import Random
from typing import TYPE_CHECKING

from nofy.pipeline.send import IN_FLIGHT

if TYPE_CHECKING:
    from bench.simulation.scenario import Parts, Provider
    from bench.simulation.service_times import ServiceTimes

# So many batches are drawn to say how long one takes where a provider's answers differ.
DRAWN = 20


def answers(times: ServiceTimes, parts: Parts, provider: Provider, calls: int, random: Random) -> list[float]:
    """Seconds from the invoke to each call's answer: so many are in flight, and one core begins one after the other."""
    share = parts.share_of_core()
    begin, core = times.send.per_item / share, times.send.fixed / share
    places = [0.0] * min(IN_FLIGHT, calls)
    found = []
    for _ in range(calls):
        core = max(core, heapq.heappop(places)) + begin
        found.append(core + _call_seconds(provider, random))
        heapq.heappush(places, found[-1])
    return found


def slowest_seconds(times: ServiceTimes, parts: Parts, provider: Provider, groups: int, calls: int) -> float:
    """Until the last of so many invokes under way at once has all its answers, on average."""
    random = Random(0)  # noqa: S311  # the same answer every time
    drawn = range(DRAWN if provider.spread else 1)
    return statistics.fmean(
        max(max(answers(times, parts, provider, calls, random)) for _ in range(groups)) for _ in drawn
    )


def _call_seconds(provider: Provider, random: Random) -> float:
    if not provider.spread:
        return provider.seconds
    return random.lognormvariate(math.log(provider.seconds) - provider.spread**2 / 2, provider.spread)
