"""Deliver: lease, reserve, send, decide, report.

No transaction is open and no connection is held while a provider is called: the lease is committed before the
first invoke, and what is learnt goes to Kafka. An exception may leave this module only before the first lease,
because afterwards a batch that Kafka hands over again would find its attempts leased and do nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nofy.domain import dead_letters
from nofy.domain.delivery import Leased, Report
from nofy.domain.errors import (
    BusUnavailableError,
    InvokeRefusedError,
    InvokeUncertainError,
    NofyError,
    StoreUnavailableError,
    UnreadableRecordError,
)
from nofy.domain.limits import Cause, Go, Wait
from nofy.domain.outcomes import Accepted, NotTried, Outcome, Unknown
from nofy.domain.records import InboundRecord, OutboundRecord, QueueRecord, read_queue
from nofy.domain.retry import decide, park
from nofy.domain.routing import DLQ_TOPIC
from nofy.domain.timing import ATTEMPT_LEASE, INVOKE_READ_TIMEOUT, SENDER_TIMEOUT
from nofy.pipeline.group import groups
from nofy.pipeline.report import publish_reports
from nofy.pipeline.reserve import learn, reserve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nofy.domain.retry import Decision
    from nofy.domain.routing import Channel
    from nofy.ports.bus import Bus
    from nofy.ports.clock import Clock, Random
    from nofy.ports.limiter import Limiter
    from nofy.ports.sender import Sender
    from nofy.ports.store import Leases

log = logging.getLogger(__name__)

# Invokes under way at once: while one waits for its slowest call, the others keep the provider busy.
OVERLAP = 4
# So long a connection to PostgreSQL is kept for the next batch while providers are called (seconds): most answer within
# it, and connecting again takes PostgreSQL and the consumer twelve milliseconds of CPU (docs/adr/0010).
PATIENCE = 0.25


@dataclass(frozen=True, slots=True)
class ChannelAttempts:
    """How the live attempts on one channel went; whatever is no acceptance has failed. A test's failures are wanted."""

    channel: Channel
    attempts_all: int
    attempts_failed: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a batch came to."""

    leased: int
    dropped: int
    unreadable: int
    reports: tuple[Report, ...]
    kept: int  # reports that Kafka would not take and that wait on their attempt rows
    rate_limited: int = 0  # not called yet: their slots come later
    circuit_open: int = 0  # not called yet: their provider is left alone
    lateness_ms: tuple[int, ...] = ()  # of each leased delivery: from its due time to its lease
    attempts: tuple[ChannelAttempts, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumer:
    """One invocation's ports. No group is begun after ``ends_at``."""

    store: Leases
    limiter: Limiter
    sender: Sender
    bus: Bus
    clock: Clock
    random: Random

    def deliver(self, records: Sequence[InboundRecord], ends_at: datetime) -> Delivered:
        """Send a batch of one channel's records and report on each delivery that could be leased."""
        queued, unreadable = self._read(records)
        leased = self.store.lease(queued, ATTEMPT_LEASE) if queued else []
        lateness = tuple(_lateness(each, self.clock()) for each in leased)
        wanted, expired = _by_expiry(leased, self.clock())
        verdicts = list(zip(wanted, reserve(wanted, self.limiter, self.clock()), strict=True))
        waiting = [(each, verdict) for each, verdict in verdicts if isinstance(verdict, Wait)]
        going = [each for each, verdict in verdicts if isinstance(verdict, Go)]
        untried = [(each, NotTried(wait.cause), wait.until) for each, wait in waiting]
        parked, untold = self._park([*untried, *expired])
        reports, unsent = self._send_all(going, ends_at)
        kept = self._keep([*untold, *unsent])
        learn(going, reports, self.limiter, self.clock())
        self._stand_by()
        causes = Counter(verdict.cause for _, verdict in waiting)
        return Delivered(
            leased=len(leased),
            dropped=len(queued) - len(leased),
            unreadable=unreadable,
            reports=(*parked, *reports),
            kept=kept,
            rate_limited=causes[Cause.RATE_LIMITED],
            circuit_open=causes[Cause.CIRCUIT_OPEN],
            lateness_ms=lateness,
            attempts=tuple(_by_channel([each for each in going if each.live], reports)),
        )

    def _read(self, records: Sequence[InboundRecord]) -> tuple[list[QueueRecord], int]:
        """Decoded records, and how many could not be: those go to the dead letters as they are."""
        queued: list[QueueRecord] = []
        letters: list[OutboundRecord] = []
        for record in records:
            try:
                queued.append(read_queue(record.value))
            except UnreadableRecordError as error:
                letter = dead_letters.of_record(record, str(error))
                letters.append(OutboundRecord(DLQ_TOPIC, letter.fingerprint.encode(), dead_letters.value(letter)))
        if letters and None in self.bus.publish(letters):
            raise BusUnavailableError("the dead letter topic did not take an unreadable record")
        return queued, len(letters)

    def _park(self, untried: Sequence[tuple[Leased, NotTried, datetime]]) -> tuple[list[Report], list[Report]]:
        """Tell Kafka at once of what is not called now: it is leased again at its time, or ends if that is too late."""
        now = self.clock()
        return self._publish(
            [_report(each, outcome, park(outcome, until, each.tried, now), now) for each, outcome, until in untried]
        )

    def _send_all(self, leased: list[Leased], ends_at: datetime) -> tuple[list[Report], list[Report]]:
        """Every group's reports, and those of them that Kafka did not take."""
        reports: list[Report] = []
        unsent: list[Report] = []
        with ThreadPoolExecutor(OVERLAP) as pool:
            sending = [pool.submit(self._send_group, group, ends_at) for group in groups(leased, self.sender)]
            if wait(sending, PATIENCE).not_done:
                # A slow provider must not keep connections from those who need them for milliseconds: with a consumer
                # on every partition of every lane, that is how a database runs out of them (docs/adr/0010).
                self.store.hang_up()
            for group_reports, group_unsent in (each.result() for each in sending):
                reports += group_reports
                unsent += group_unsent
        return reports, unsent

    def _send_group(self, group: list[Leased], ends_at: datetime) -> tuple[list[Report], list[Report]]:
        """Send one group and tell Kafka at once: fast groups do not wait for slow ones."""
        outcomes = self._invoke(group, ends_at)
        now = self.clock()
        decisions = [
            decide(outcome, each.tried, now, self.random) for each, outcome in zip(group, outcomes, strict=True)
        ]
        return self._publish([_report(*each, now) for each in zip(group, outcomes, decisions, strict=True)])

    def _publish(self, reports: list[Report]) -> tuple[list[Report], list[Report]]:
        """The reports, and those of them that Kafka did not take."""
        if not reports:
            return [], []
        try:
            return reports, publish_reports(reports, self.bus)
        except BusUnavailableError:
            log.exception("acks not taken", extra={"reports": len(reports)})
            return reports, reports

    def _invoke(self, group: list[Leased], ends_at: datetime) -> list[Outcome]:
        now = self.clock()
        if now + timedelta(seconds=INVOKE_READ_TIMEOUT) > ends_at:
            return [NotTried("the consumer's time was over")] * len(group)
        try:
            deadline = now + timedelta(seconds=SENDER_TIMEOUT)
            outcomes = self.sender.send(group[0].provider, group, deadline)
        except InvokeRefusedError as error:
            log.warning("sender not invoked", extra={"group": len(group)}, exc_info=True)
            return [NotTried(str(error))] * len(group)
        except InvokeUncertainError as error:
            log.exception("sender gave no answer", extra={"group": len(group)})
            return [Unknown(str(error))] * len(group)
        except Exception as error:
            # Nobody foresaw it, so the calls may have been made. Raised here, it would silence the other groups too.
            log.exception("sender's answer lost", extra={"group": len(group)})
            return [Unknown(f"unforeseen: {type(error).__name__}")] * len(group)
        if len(outcomes) != len(group):
            return [Unknown("the sender answered for another number of deliveries")] * len(group)
        return outcomes

    def _stand_by(self) -> None:
        """Whatever keeps it from that must not be raised: the batch is sent, and would come again."""
        try:
            self.store.stand_by()
        except NofyError:
            log.warning("not connected again; the next batch tries", exc_info=True)

    def _keep(self, unsent: list[Report]) -> int:
        """What Kafka would not take stays on the attempt rows, where the reconciler finds it."""
        if not unsent:
            return 0
        try:
            self.store.keep_reports(unsent)
        except StoreUnavailableError:
            # Neither Kafka nor PostgreSQL: the leases run out and these attempts end as Unknown. Raising would
            # gain nothing, since the batch may not be worked on again.
            log.exception("reports kept nowhere", extra={"deliveries": [str(r.delivery_id) for r in unsent]})
            return 0
        return len(unsent)


def _report(leased: Leased, outcome: Outcome, decision: Decision, now: datetime) -> Report:
    fence = leased.fence
    return Report(fence.delivery_id, fence.attempt_no, outcome, decision, now, leased.credential_version)


def _by_expiry(leased: Sequence[Leased], now: datetime) -> tuple[list[Leased], list[tuple[Leased, NotTried, datetime]]]:
    """What may be sent, and what has expired since it was dispatched: its consumers lagged, and nobody wants it now."""
    expired = [(each, NotTried("expired before it could be sent"), now) for each in leased if each.expires_at <= now]
    return [each for each in leased if each.expires_at > now], expired


def _lateness(leased: Leased, now: datetime) -> int:
    """In milliseconds. The due time is by another machine's clock: what looks early is on time."""
    return max(0, round((now - leased.fence.due_at) / timedelta(milliseconds=1)))


def _by_channel(leased: Iterable[Leased], reports: Sequence[Report]) -> Iterator[ChannelAttempts]:
    channels = {each.fence.delivery_id: each.channel for each in leased}
    tried = Counter(channels[each.delivery_id] for each in reports if each.delivery_id in channels)
    accepted = Counter(channels.get(each.delivery_id) for each in reports if isinstance(each.outcome, Accepted))
    return (ChannelAttempts(channel, count, count - accepted[channel]) for channel, count in tried.items())
