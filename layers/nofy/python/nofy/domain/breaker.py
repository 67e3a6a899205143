"""A circuit breaker per integration: a provider that is down is left alone, and a few calls find out for all. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

from nofy.domain.outcomes import Accepted, NotTried, Outcome, Rejected, Throttled, Transient, Unknown
from nofy.domain.timing import PROVIDER_TIMEOUT, SENDER_MARGIN

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# This many failures with no success between them open the circuit. A delivery's own bad luck is fewer.
FAILURES = 10
# Open for this long (seconds), twice as long each time that a probe fails, up to the second figure: so late may the
# first call after an outage be. A backlog should be gone within twice the outage. Where work comes at 60 % of the rate
# r, an outage of 60 s and d more leave 0.6 r (60 + d) to go with the other 0.4 r: 90 + 2.5 d seconds after its end,
# and 105 s if d is 6. It may be no more than 12, and less where not all of the rate can be used: with 95 % of it, 6 s
# make 119 s. In that minute ten failures and three probes after 3, 9, 15, ... 57 s are 40 calls: 5 % of what asking
# again at once would make from 14 calls a second on, 1.3 % at 50.
OPEN_FIRST = 3
OPEN_MOST = 6
# Half-open: as many calls find out for all. If none has an answer by then (their consumer died), as many again.
PROBES = 3
PATIENCE = PROVIDER_TIMEOUT + SENDER_MARGIN


@dataclass(frozen=True, slots=True)
class Breaker:
    """One integration's circuit: closed (never ``opened``), open (before ``until``), or half-open (``probes`` out)."""

    failures: int = 0  # in a row, while closed
    opened: int = 0  # times in a row
    until: datetime = LONG_AGO
    probes: int = 0

    def bars_until(self, now: datetime) -> datetime | None:
        """When to ask again; None if a call may be made now."""
        if not self.opened or now >= self.until or 0 < self.probes < PROBES:
            return None
        return self.until

    def let_through(self, now: datetime) -> Breaker:
        """After a call was allowed: unless closed, it is a probe."""
        if not self.opened:
            return self
        if now >= self.until:
            return replace(self, until=now + timedelta(seconds=PATIENCE), probes=1)
        return replace(self, probes=self.probes + 1)

    def learn(self, outcome: Outcome, now: datetime) -> Breaker:
        """An answer of any kind closes it; failures open it; a call that was never begun says nothing."""
        match outcome:
            case Accepted() | Rejected() | Throttled():
                return Breaker()
            case Transient() | Unknown():
                return self._failed(now)
            case NotTried():
                return self
            case _:
                assert_never(outcome)

    def _failed(self, now: datetime) -> Breaker:
        if not self.opened and self.failures + 1 < FAILURES:
            return replace(self, failures=self.failures + 1)
        if self.opened and not self.probes:
            return self  # a call that was under way when it opened
        seconds = min(OPEN_FIRST * 2**self.opened, OPEN_MOST)
        return Breaker(opened=self.opened + 1, until=now + timedelta(seconds=seconds))
