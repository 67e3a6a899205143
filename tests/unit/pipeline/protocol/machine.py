"""The real pipeline as a Hypothesis state machine: actors that are stepped call by call, and everything that fails.

A step begins a process and runs it for some calls, and may leave it there; others pick it up, kill it or let its next
call fail. Time passes only by a step (and while a dispatcher sleeps), and who has outlived its function's time-out dies
of it. There is one rule on purpose: Hypothesis would switch half of many rules off in each history, and without a
dispatcher or a consumer nothing happens in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nofy.domain.edit import Edit
from nofy.domain.errors import (
    BusUnavailableError,
    InvokeRefusedError,
    InvokeUncertainError,
    ScheduleUnavailableError,
    StoreUnavailableError,
)
from nofy.domain.lifecycle import ENDED, Status
from nofy.domain.records import InboundRecord
from nofy.domain.retry import DeliveryMode
from nofy.domain.routing import ACKS_TOPIC, DLQ_GROUP, DLQ_TOPIC, LANES, Channel, MessageClass
from nofy.domain.timing import CONSUMER_TIMEOUT, DISPATCHER_TIMEOUT
from nofy.pipeline.credit import LaneCredit
from nofy.ports.reading import DeadLetterFilter
from nofy.ports.store import IdempotencyClaim
from tests.fakes.faults import Died, Fault
from tests.fakes.world import HedgedCredit, World
from tests.unit.pipeline.protocol import promises
from tests.unit.pipeline.protocol.actors import Actor, current
from tests.unit.pipeline.protocol.provider import WORDS, Invokes, Providers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from nofy.domain.delivery import Leased
    from nofy.domain.notification import PlannedNotification
    from nofy.domain.sending import Message
    from tests.fakes.projects import Project

# Seconds a function lives, from ``infra/functions.py``; API Gateway gives up after 29.
API, ACKS, RECONCILER = 29, 60, 120
MOST_DELIVERIES, MOST_CANCELLED = 6, 2
TO_THE_END = 200
CALLS = st.one_of(st.just(TO_THE_END), st.integers(0, 9))
ANY = st.integers(0, 3)  # picks one of however many there are

REDIS = {"add", "remove", "register", "claim", "release", "sleep", "epoch", "reserve", "learn"}
KAFKA = {"publish", "committed"}
PROVIDER = {"send", "answer", "call"}
# No protocol lies in these: a step spent on them is a step lost.
ALONE = {"hang_up", "stand_by", "weigh", "lost", "backlog"}
ALONE |= {"ensure_partitions", "drop_partition", "forget_dead_letters"}
# How a batch may come, by ``which``: as it is, twice, or in another order.
BATCHES: list[Callable[[list[InboundRecord]], list[InboundRecord]]] = [
    list,
    lambda records: [*records, *records],
    lambda records: [*reversed(records)],
    lambda records: [*records, *reversed(records)],
]
WEIGHTS = {
    "a request comes": 2,
    "redrive": 2,
    "redrive to another address": 2,
    "redrive many": 2,
    "all is done": 2,
    "dispatch": 4,
    "consume": 8,
    "acknowledge": 6,
    "bury": 4,
    "sweep": 2,
    "one goes on": 5,
    "one dies": 2,
    "one dies after its call": 2,
    "time passes": 4,
    "a provider answers otherwise": 4,
}
T = TypeVar("T")
Moves = dict[str, "Callable[[int, int], object]"]


@dataclass(frozen=True)
class Plan:
    """What somebody asks for; times in seconds."""

    channel: Channel = Channel.SLACK
    due_in: int = 0
    lives: int | None = None  # from then
    mode: DeliveryMode = DeliveryMode.AT_LEAST_ONCE
    message_class: MessageClass = MessageClass.TRANSACTIONAL

    def made(self, project: Project) -> PlannedNotification:
        expires_in = None if self.lives is None else self.due_in + self.lives
        return project.plan(
            self.channel,
            due_in=self.due_in,
            expires_in=expires_in,
            mode=self.mode,
            message_class=self.message_class,
        )


PLANS = st.builds(
    Plan,
    channel=st.sampled_from([Channel.SLACK, Channel.EMAIL]),
    due_in=st.sampled_from([0, 0, 0, 3, 200, 1_100]),
    lives=st.sampled_from([None, None, 40, 2_000]),
    mode=st.sampled_from(DeliveryMode),
    message_class=st.sampled_from(MessageClass),
)


class Protocol(RuleBasedStateMachine):
    """One history."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(partitions=2)
        self.providers = Providers(self.world.clock, self._look)
        self.actors: list[Actor] = []
        invokes = Invokes(self.providers, self.world.clock, self.world.faults, self._begun)
        self.world.sender = invokes  # type: ignore[assignment]
        self.world.faults.strike = self._strike
        self.principal = self.world.project.principal
        self.down: set[str] = set()
        self.broken: list[str] = []
        self.requests: dict[str, list[UUID]] = defaultdict(list)  # notifications by idempotency key
        self.confirmed: set[UUID] = set()  # notifications that were answered 202
        self.cancelled: set[UUID] = set()  # deliveries whose cancellation was answered 200

    @initialize(
        trouble=st.integers(0, 3),
        limited=st.booleans(),
        hedged=st.booleans(),
        plans=st.lists(PLANS, min_size=1, max_size=3),
    )
    def begins(self, trouble: int, limited: bool, plans: list[Plan], hedged: bool = False) -> None:
        self.trouble, self.plans, self.hedged = trouble, plans, hedged
        self.world.credit = HedgedCredit if hedged else LaneCredit
        self.world.limit(integration={"per_second": 0.2, "burst": 2} if limited else None)
        for each in plans:
            self.accept(each, None, TO_THE_END)

    # The baton

    def _strike(self, method: str) -> Fault | None:
        """At every call of every port: here others may run, and somebody says what becomes of the call."""
        actor = current()
        fault = actor.wait(method) if actor and method not in ALONE else None
        fault = fault or self._outage(method)
        if actor and fault and (method == "keep_reports" or (method == "send" and fault.after)):
            actor.deaf = True
        return fault

    def _outage(self, method: str) -> Fault | None:
        return Fault(method, _error(method)) if _server(method) in self.down else None

    def begin(self, name: str, work: Callable[[], object], lives_for: float, calls: int) -> None:
        actor = Actor(name, work, self.world.clock(), lives_for)
        self.actors.append(actor)
        self._go(actor, calls)

    def _begun(self, sender: Actor) -> None:
        self.actors.append(sender)

    def _go(self, actor: Actor, calls: int) -> None:
        for _ in range(calls):
            if actor.ended:
                break
            runs = actor
            while runs.waits_for and not runs.waits_for.ended:
                runs = runs.waits_for
            runs.step()
            self._age()
        self.actors = [each for each in self.actors if not each.ended]

    def _kill(self, actor: Actor, *, after: bool = False) -> None:
        actor.deaf = True
        actor.step(Fault(actor.at, Died(), after))
        self.actors = [each for each in self.actors if not each.ended]

    def _age(self) -> None:
        """Lambda's time-outs."""
        now = self.world.clock()
        for each in list(self.actors):
            if not each.ended and now > each.born + timedelta(seconds=each.lives_for):
                self._kill(each)

    # What must hold at the moment of a provider's call

    def _look(self, leased: Leased, message: Message) -> None:
        self.broken += promises.at_a_call(self, leased, message)

    # One rule: which steps there are, and how likely each is, is asked of the history, so that few of them are idle

    @rule(what=st.runner().flatmap(lambda history: st.sampled_from(history.moves())), which=ANY, calls=CALLS)
    def step(self, what: str, which: int, calls: int) -> None:
        """``which``: whom or what it is about; ``calls``: how far a process goes before it is left where it stands."""
        for moves in (self.outside, self.people, self.functions, self.processes):
            if what in moves():
                moves()[what](which, calls)
                return

    def moves(self) -> list[str]:
        """A quarter of the histories are undisturbed, and a quarter are struck at single calls only."""
        answers = ["a provider answers otherwise"] if self.trouble else []
        disturbed = [*self.outside()] if self.trouble > 1 else ["time passes"]
        names = [*self.functions(), *self.processes(), *disturbed, *self.people(), *answers]
        return [each for name in names for each in [name] * WEIGHTS.get(name, 1)]

    def processes(self) -> Moves:
        """What becomes of those under way."""
        if not self.actors:
            return {}
        struck: Moves = {
            "one dies": lambda which, _: self._kill(self._one(which)),
            "one dies after its call": lambda which, _: self._kill(self._one(which), after=True),
            "one gets an error": lambda which, _: self._err(self._one(which), after=False),
            "one gets an error after its call": lambda which, _: self._err(self._one(which), after=True),
        }
        return {
            "one goes on": lambda which, calls: self._go(self._one(which), max(1, calls)),
            **(struck if self.trouble else {}),
        }

    def _err(self, actor: Actor, *, after: bool) -> None:
        if actor.at == "call":  # a provider's client never raises
            self._kill(actor, after=after)
        else:
            actor.step(Fault(actor.at, _error(actor.at, after=after), after))
            self._go(actor, 0)

    # What the functions do

    def functions(self) -> Moves:
        moves: Moves = {"all is done": self.everything}
        if self.world.queued():
            moves["consume"] = self.consume
        if self.world.acks():
            moves["acknowledge"] = self.acknowledge
        if self._unburied():
            moves["bury"] = self.bury
        return {**moves, "dispatch": self.dispatch, "sweep": self.sweep}

    def everything(self, *_: int) -> None:
        """A quiet second: whatever there is to do, from dispatch to dead letter."""
        self.dispatch(0, TO_THE_END)
        for what in ("consume", "consume", "acknowledge", "bury"):
            if what in (moves := self.functions()):
                moves[what](0, TO_THE_END)

    def dispatch(self, _: int, calls: int) -> None:
        self.begin("dispatch", self.world.dispatch, DISPATCHER_TIMEOUT, calls)

    def consume(self, which: int, calls: int) -> None:
        lane = next(lane for lane in LANES if self.world.bus.poll(lane.group, lane.topic))
        records = self.world.bus.poll(lane.group, lane.topic)
        if self.hedged:  # each partition has a consumer of its own
            partition = _pick(sorted({each.partition for each in records}), which)
            records = [each for each in records if each.partition == partition]
        batch = BATCHES[which](records)

        def work() -> None:
            self.world.deliver(batch)
            self.world.bus.commit(lane.group, lane.topic, records)

        self.begin("consume", work, CONSUMER_TIMEOUT, calls)

    def acknowledge(self, which: int, calls: int) -> None:
        batch = BATCHES[which](self.world.acks())
        self.begin("acknowledge", lambda: self.world.acknowledge(batch), ACKS, calls)

    def sweep(self, _: int, calls: int) -> None:
        self.begin("sweep", self.world.sweep, RECONCILER, calls)

    def bury(self, _: int, calls: int) -> None:
        self.begin("bury", self.world.bury, ACKS, calls)

    def _unburied(self) -> list[InboundRecord]:
        return self.world.bus.poll(DLQ_GROUP, DLQ_TOPIC)

    # What people do, and what they are told

    def people(self) -> Moves:
        tables = self.world.store.tables
        moves: Moves = {"a request comes": self.request} if len(tables.deliveries) < MOST_DELIVERIES else {}
        if tables.notifications:
            moves["move"] = self.move
        if tables.notifications and len(self.cancelled) < MOST_CANCELLED:
            moves["cancel"] = self.cancel
        if self._letters():
            moves |= {
                "redrive": self.redrive,
                "redrive to another address": self.edit,
                "redrive many": self.redrive_many,
                "discard": self.discard,
            }
        return moves

    def request(self, which: int, calls: int) -> None:
        """One of the plans of the beginning once more; every other time under one idempotency key."""
        self.accept(self.plans[which % len(self.plans)], "a key" if which % 2 else None, calls)

    def accept(self, plan: Plan, key: str | None, calls: int) -> None:
        planned = plan.made(self.world.project)
        told = {"id": planned.notification_id}
        claim = IdempotencyClaim(key, b"the same body", told) if key else None
        self.requests[key or str(planned.notification_id)].append(planned.notification_id)

        def work() -> None:
            answer = self.world.submit(planned, claim) or told
            self.confirmed.add(answer["id"])

        self.begin("accept", work, API, calls)

    def cancel(self, which: int, calls: int) -> None:
        notification = _pick(self.world.store.tables.notifications, which)

        def work() -> None:
            view = self.world.amender().cancel(self.principal, notification)
            self.cancelled |= {each.delivery_id for each in view.deliveries if each.status is Status.CANCELLED}

        self.begin("cancel", work, API, calls)

    def move(self, which: int, calls: int) -> None:
        notification = _pick(self.world.store.tables.notifications, which)
        to = self.world.clock() + timedelta(seconds=[1, 50, 1_000, 200][which])
        self.begin("move", lambda: self.world.amender().move(self.principal, notification, to, None), API, calls)

    def redrive(self, which: int, calls: int, edit: Edit | None = None) -> None:
        letter = _pick(self._letters(), which)
        self.begin("redrive", lambda: self.world.amender().redrive(self.principal, letter, edit), API, calls)

    def edit(self, which: int, calls: int) -> None:
        self.redrive(which, calls, Edit(destination=f"elsewhere {which}"))

    def redrive_many(self, which: int, calls: int) -> None:
        limit, pace, skip = which + 1, [10.0, 0.02][which % 2], which == 3

        def work() -> None:
            wanted = DeadLetterFilter()
            self.world.amender().redrive_many(self.principal, wanted, limit, pace, skip_expired=skip)

        self.begin("redrive many", work, API, calls)

    def discard(self, which: int, calls: int) -> None:
        letter = _pick(self._letters(), which)
        self.begin("discard", lambda: self.world.amender().discard(self.principal, letter, "no use"), API, calls)

    def _letters(self) -> list[UUID]:
        return [row.dead_letter_id for row in self.world.store.tables.dead_letters if row.open and row.project_id]

    # What happens to everybody

    def outside(self) -> Moves:
        """Servers come back when time passes."""
        moves: Moves = {
            "time passes": lambda which, calls: self.time_passes(
                [1, 5, 30, 65, 1, 130, 310, 5, 1_900][(which + calls) % 9]
            ),
            "a provider answers otherwise": lambda which, calls: self.providers.script.append(
                WORDS[(which + calls) % len(WORDS)]
            ),
            "postgres is down": lambda *_: self.down.add("postgres"),
            "redis is down": lambda *_: self.down.add("redis"),
            "kafka is down": lambda *_: self.down.add("kafka"),
            "redis is emptied": self._empty_redis,
            "redis fails over": self._lose_index,
            "acks are refused": lambda *_: self._refuse(ACKS_TOPIC),
            "dead letters are refused": lambda *_: self._refuse(DLQ_TOPIC),
            "everything is refused, and arrives late": lambda *_: self._refuse("", late=True),
            "commits are lost": self._rewind,
            "the credential is revoked": self._revoke,
            "the credential is mended": self._mend,
        }
        if self.world.bus.late:
            moves["late records arrive"] = lambda *_: self.world.bus.arrive_late()
        if self.world.queued():
            moves["batches are lost"] = self._lose_batches
        return moves

    def time_passes(self, seconds: float) -> None:
        self._mend_servers()
        self.world.clock.advance(seconds)
        self._age()

    def _revoke(self, *_: int) -> None:
        self.providers.bad_credential = True

    def _empty_redis(self, *_: int) -> None:
        self.world.schedule.wipe()
        self.world.limiter.wipe()

    def _lose_index(self, *_: int) -> None:
        """A failover that lost the last writes and kept the epoch."""
        for scores in self.world.schedule.due.values():
            scores.clear()

    def _refuse(self, topic: str, *, late: bool = False) -> None:
        self.world.bus.refuses = lambda record: topic in record.topic
        self.world.bus.late_arrivals = late

    def _rewind(self, *_: int) -> None:
        """Every group is handed its last records again."""
        for (group, topic), commits in self.world.bus.commits.items():
            for partition, offset in list(commits.items()):
                self.world.bus.rewind(group, topic, partition, max(0, offset - 2))

    def _lose_batches(self, *_: int) -> None:
        """The event source gave up on what lies there: it is passed over."""
        for lane in LANES:
            self.world.bus.commit(lane.group, lane.topic, self.world.bus.poll(lane.group, lane.topic))

    def _mend_servers(self) -> None:
        self.down.clear()
        self.world.bus.refuses = lambda _: False

    def _mend(self, *_: int) -> None:
        self.providers.bad_credential = False
        for row in self.world.store.tables.integrations.values():
            row.credential_version += row.held

    # The end

    @invariant()
    def no_promise_is_broken(self) -> None:
        assert not (broken := [*self.broken, *promises.at_any_time(self)]), broken

    def teardown(self) -> None:
        try:
            if not self.broken:
                self.drain()
                assert not (broken := [*self.broken, *promises.at_the_end(self)]), broken
        finally:
            for each in self.actors:
                with suppress(Exception):
                    each.die()

    def drain(self) -> None:
        """No more faults: whatever was begun must end by itself."""
        self._mend_servers()
        self.world.bus.arrive_late()
        self.providers.script.clear()
        for each in list(self.actors):
            self._go(each, TO_THE_END)
        for minute in range(60):
            if minute > 2 and self._quiet():  # (a dead letter that nobody stored is missed after a minute)
                break
            self._mend()
            self.world.settle(1)

    def _quiet(self) -> bool:
        ended = all(row.status in ENDED for row in self.world.store.tables.deliveries.values())
        return ended and not (self.world.queued() or self.world.acks() or self._unburied())

    def _one(self, which: int) -> Actor:
        """The latest comes first: where something has just been left is where it hurts."""
        return self.actors[-1 - which % len(self.actors)]


def _pick(there: Iterable[T], which: int) -> T:
    ids = list(there)
    return ids[which % len(ids)]


def _server(method: str) -> str:
    if method in PROVIDER or method in ("hang_up", "weigh"):
        return "nobody"
    return "redis" if method in REDIS else "kafka" if method in KAFKA else "postgres"


def _error(method: str, *, after: bool = False) -> Exception:
    if method in PROVIDER:
        uncertain = after or method != "send"
        return InvokeUncertainError("read timed out") if uncertain else InvokeRefusedError("throttled")
    errors = {"redis": ScheduleUnavailableError, "kafka": BusUnavailableError, "postgres": StoreUnavailableError}
    return errors[_server(method)]("struck")
