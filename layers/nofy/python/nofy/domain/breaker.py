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
# Open for this long (seconds), twice as long each time that a probe fails, up to the second figure.
OPEN_FIRST = 5
OPEN_MOST = 30
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
