"""The limiter in Redis: one script an integration, in its own hash slot, and one trip for all of a batch.

A second one tells how the calls went, if there is anything to tell.

Times travel as microseconds since 1970: whole numbers, exact in Lua's floating point until the year 2255.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nofy.adapters.redis.connection import Batch, Connection, script
from nofy.domain import breaker
from nofy.domain.breaker import LONG_AGO
from nofy.domain.limits import SOON, Cause, Go, Verdict, Wait, pause_of
from nofy.domain.outcomes import NotTried, Outcome, Throttled, Transient, Unknown
from nofy.domain.rates import Rate, limits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from nofy.domain.delivery import Leased

# What is over is forgotten after this long: slots whose owners never came (cancelled, expired), rates long unused.
_KEEP = 3_600_000_000
_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


class RedisLimiter:
    """Implements :class:`nofy.ports.limiter.Limiter`. Connects when first used."""

    def __init__(
        self, url: str, *, timeout: float, password: Callable[[], str] | None = None, cluster: bool = False
    ) -> None:
        self._connection = Connection(url, timeout=timeout, password=password, cluster=cluster)
        self.trips = 0  # counted for the tests that bound them
        # Integrations whose circuit remembers failures: only there is a success news. Where another consumer sees
        # the first failures while this one's calls succeed, it is told so a batch later.
        self._troubled: set[UUID] = set()

    def reserve(self, deliveries: Sequence[Leased], now: datetime) -> list[Verdict]:
        groups = _by_integration(deliveries)
        answers = self._run("reserve", [_reservation([deliveries[i] for i in each], now) for each in groups])
        verdicts: list[Verdict] = [Go()] * len(deliveries)
        for group, (troubled, *answer) in zip(groups, answers, strict=True):
            integration = {deliveries[group[0]].integration_id}
            self._troubled = self._troubled | integration if troubled else self._troubled - integration
            for index, slot, barred in zip(group, answer[::2], answer[1::2], strict=True):
                if slot:
                    verdicts[index] = Wait(_moment(slot), Cause.CIRCUIT_OPEN if barred else Cause.RATE_LIMITED)
        return verdicts

    def learn(self, answers: Sequence[tuple[Leased, Outcome]], now: datetime) -> None:
        groups = [[answers[i] for i in each] for each in _by_integration([leased for leased, _ in answers])]
        news = [each for each in groups if self._is_news(each)]
        self._run("learn", [_lesson(each, now) for each in news])
        self._troubled |= {each[0][0].integration_id for each in news}

    def _is_news(self, answers: list[tuple[Leased, Outcome]]) -> bool:
        troubled = answers[0][0].integration_id in self._troubled
        return troubled or any(isinstance(outcome, Throttled | Transient | Unknown) for _, outcome in answers)

    def close(self) -> None:
        """Hang up; the next use connects again."""
        self._connection.close()

    def _run(self, name: str, calls: list[tuple[list[str], list[Any]]]) -> list[Any]:
        with self._connection.translated():
            batch = Batch(self._connection)
            for keys, arguments in calls:
                batch.on(keys[0]).eval(script(name), len(keys), *keys, *arguments)
            self.trips += batch.trips
            return batch.execute()


def _by_integration(deliveries: Iterable[Leased]) -> list[list[int]]:
    """The places of each integration's deliveries."""
    groups: dict[UUID, list[int]] = {}
    for index, each in enumerate(deliveries):
        groups.setdefault(each.integration_id, []).append(index)
    return list(groups.values())


def _reservation(deliveries: list[Leased], now: datetime) -> tuple[list[str], list[Any]]:
    """Keys and arguments of ``reserve.lua`` for deliveries of one integration."""
    first = deliveries[0]
    limits = limits_of(first.provider, first.settings)
    keys = [_key(first, "circuit"), _key(first, "rate"), _key(first, "slots")]
    arguments = [_micros(now), _KEEP, breaker.PROBES, breaker.PATIENCE * _SECOND, SOON // _MICROSECOND]
    arguments += [*_rate(limits.integration), *_rate(limits.destination)]
    places = {each: place for place, each in enumerate(dict.fromkeys(map(_destination, deliveries)), len(keys) + 1)}
    more: list[Any] = []
    for each in deliveries:
        more += [each.fence.delivery_id.bytes, places[_destination(each)], str(each.priority), _micros(each.latest)]
    return [*keys, *places], [*arguments, *more]


def _lesson(answers: list[tuple[Leased, Outcome]], now: datetime) -> tuple[list[str], list[Any]]:
    """Keys and arguments of ``learn.lua`` for answers about one integration."""
    first, _ = answers[0]
    limits = limits_of(first.provider, first.settings)
    pauses: dict[str, tuple[int, int]] = {}
    for leased, outcome in answers:
        if pause := pause_of(outcome, now):
            key = _key(leased, "rate") if pause.whole_integration else _destination(leased)
            rate = limits.integration if pause.whole_integration else limits.destination
            spent = _micros(pause.until + rate.tolerance) if rate else 0
            pauses[key] = max(pauses.get(key, (0, 0)), (_micros(pause.until), spent))
    letters = "".join(_letter(outcome) for _, outcome in answers)
    arguments: list[Any] = [_micros(now), _KEEP, breaker.FAILURES]
    arguments += [breaker.OPEN_FIRST * _SECOND, breaker.OPEN_MOST * _SECOND, letters]
    return [_key(first, "circuit"), *pauses], [*arguments, *(time for pair in pauses.values() for time in pair)]


def _letter(outcome: Outcome) -> str:
    if isinstance(outcome, NotTried):
        return ""
    return "f" if isinstance(outcome, Transient | Unknown) else "s"


def _rate(rate: Rate | None) -> list[int]:
    if rate is None:
        return [0, 0, 0, 0, 0, 0]
    express = rate.express
    ours = (rate.interval, rate.tolerance, rate.leeway, rate.urgent_leeway)
    return [each // _MICROSECOND for each in (*ours, express.interval, express.tolerance)]


def _key(leased: Leased, name: str) -> str:
    return f"nofy:{{{leased.integration_id.hex}}}:{name}"


def _destination(leased: Leased) -> str:
    """People's addresses are nobody's business in a key."""
    return _key(leased, f"rate:{blake2b(leased.destination.encode(), digest_size=12).hexdigest()}")


def _micros(moment: datetime) -> int:
    return (moment - LONG_AGO) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return LONG_AGO + micros * _MICROSECOND
