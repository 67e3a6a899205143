"""The arithmetic of an outage, from the provider's own notes. Pure; times in seconds since 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def count_between(times: Sequence[float], start: float, end: float) -> int:
    return sum(start <= each < end for each in times)


def peak_per_second(times: Sequence[float]) -> int:
    """The most that fell into any one second, wherever it begins."""
    ordered = sorted(times)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def backlog_gone(accepted: Mapping[str, float], taken: Mapping[str, float], recovery: float) -> float | None:
    """Seconds from the recovery until all that was accepted before it had been taken; None: not all was."""
    backlog = [each for each, at in accepted.items() if at <= recovery]
    if any(each not in taken for each in backlog):
        return None
    return max([taken[each] - recovery for each in backlog] + [0.0])


def caught_up(accepted: Mapping[str, float], taken: Mapping[str, float], recovery: float, grace: float) -> float | None:
    """Seconds from the recovery until, for the first time, nothing waits that was accepted ``grace`` before."""
    late = sorted((at + grace, taken.get(each, float("inf"))) for each, at in accepted.items())
    moment = recovery
    for since, until in late:
        if since <= moment < until:
            moment = until
    return None if moment == float("inf") else moment - recovery
