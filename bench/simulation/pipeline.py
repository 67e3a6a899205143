"""The pipeline as stations and batches: who waits for whom, and for how long.

Simplified, and on purpose: every call is accepted, nothing crashes, a lag is known at once, Redis is asked and never
waited for, and a provider's limit is one slot after the other for each integration, where a delivery that has to wait
comes back at its slot's time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from bench.simulation.engine import Gauge, Station, Timeline
from bench.simulation.scenario import COUNTER_ROWS
from bench.simulation.sending import answers
from nofy.domain.rates import TURN
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.pipeline.credit import ABOUT, FLOOR, TURN_LIMIT, TURN_LIMIT_BESIDE_URGENT
from nofy.pipeline.deliver import OVERLAP
from nofy.pipeline.group import GROUP_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.simulation.engine import Action
    from bench.simulation.scenario import Load, Scenario
    from bench.simulation.service_times import Cost
    from infra.settings import Batch


@dataclass(slots=True)
class Delivery:
    """``due`` is when it was due first. ``slot``: when the provider's limit lets it go, if it had to wait (else 0), and
    ``parked`` until it is on its way again.
    """

    project: int
    lane: Lane
    due: float
    slot: float = 0.0
    parked: bool = False


@dataclass(slots=True)
class Observed:
    """What was seen since the warm-up: of each delivery, the seconds from due to the provider's answer."""

    accepting: list[float] = field(default_factory=list)
    lateness: list[tuple[Lane, int, float]] = field(default_factory=list)
    acknowledged: int = 0
    in_system_seconds: float = 0.0
    turns: int = 0
    dispatched: int = 0
    dispatching: float = 0.0
    redis: float = 0.0
    parked: int = 0
    batches: dict[str, int] = field(default_factory=dict)
    batched: dict[str, int] = field(default_factory=dict)


class LaneQueue:
    """What is due in a lane, taken in turns from its projects, one each: all of them weigh the same."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[Delivery]] = {}
        self._turns: deque[int] = deque()
        self.size = 0

    def put(self, delivery: Delivery) -> None:
        its = self._waiting.setdefault(delivery.project, deque())
        if not its:
            self._turns.append(delivery.project)
        its.append(delivery)
        self.size += 1

    def take(self, most: int) -> list[Delivery]:
        taken: list[Delivery] = []
        while self._turns and len(taken) < most:
            project = self._turns.popleft()
            its = self._waiting[project]
            taken.append(its.popleft())
            if its:
                self._turns.append(project)
        self.size -= len(taken)
        return taken


class Partition:
    """Records in order, and one batch of them in hand: full at once, or what is there when the window is over."""

    def __init__(
        self, timeline: Timeline, batch: Batch, poll: float, handle: Callable[[list[Delivery], Action], None]
    ) -> None:
        self._timeline, self._size, self._window, self._poll = timeline, batch.size, batch.window_seconds, poll
        self._handle = handle
        self._records: deque[Delivery] = deque()
        self._busy = self._armed = False
        self.uncommitted = 0

    def put(self, records: list[Delivery]) -> None:
        self._records += records
        self.uncommitted += len(records)
        if not self._busy and not self._armed:
            self._armed = True
            full = len(self._records) >= self._size
            self._timeline.after(self._poll if full else self._poll + self._window, self._begin)

    def _begin(self) -> None:
        self._armed, self._busy = False, True
        batch = [self._records.popleft() for _ in range(min(self._size, len(self._records)))]
        self._handle(batch, lambda: self._done(len(batch)))

    def _done(self, records: int) -> None:
        self.uncommitted -= records
        self._busy = False
        if len(self._records) >= self._size or (self._records and not self._window):
            self._begin()
        elif self._records:
            self._armed = True
            self._timeline.after(self._window, self._begin)


class Postgres:
    """A statement has a connection until it is committed, and a core while it computes."""

    def __init__(self, timeline: Timeline, scenario: Scenario) -> None:
        self._timeline, self._times = timeline, scenario.times
        self.cores = Station(timeline, scenario.parts.postgres_cores)
        self.connections = Station(timeline, scenario.parts.connections)

    def run(self, cpu: float, then: Action) -> None:
        def committed() -> None:
            self.connections.release()
            then()

        def computed() -> None:
            self._timeline.after(self._times.trip.fixed + self._times.postgres_commit.fixed, committed)

        self.connections.acquire(lambda: self.cores.serve(cpu, computed))


class Pipeline:
    """All of it. ``in_system`` counts what was accepted, is due, and is not acknowledged."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.times, self.parts = scenario, scenario.times, scenario.parts
        self.random = Random(seed)  # noqa: S311  # the same seed, the same run
        self.timeline = Timeline()
        self.postgres = Postgres(self.timeline, scenario)
        stations = (self.parts.producers, self.parts.consumers, self.parts.senders, self.parts.ack_handlers)
        self.producers, self.consumers, self.senders, self.ack_handlers = (
            Station(self.timeline, each) for each in stations
        )
        self.counters = [Station(self.timeline, 1) for _ in range(COUNTER_ROWS)]
        self.lanes = {lane: LaneQueue() for lane in LANES}
        self.topics = {
            lane: [self._partition(lane) for _ in range(self.parts.partitions[lane.priority])] for lane in LANES
        }
        self.acks = [
            Partition(self.timeline, self.parts.ack_batch, self.times.poll.fixed, self._acknowledge)
            for _ in range(self.parts.ack_partitions)
        ]
        self.in_system = Gauge(self.timeline)
        self.asked = self.accepted = self.entered = self.acknowledged = 0
        self.observed = Observed()
        self._slots: dict[tuple[int, Channel], float] = {}
        self._placed: dict[Priority, float] = {}
        self._floored: dict[Lane, float] = {}
        self._awake = False
        self._draw = _Draw(scenario.load, self.random)

    def run(self, seconds: float, warm_up: float) -> Observed:
        """``seconds`` after a warm-up that nothing is observed of."""
        load = self.scenario.load
        if load.rate:
            self._next(load.rate / load.per_request, self._request)
        if load.scheduled:
            self._next(load.scheduled / load.ahead, lambda: self._due([self._draw.delivery(self.timeline.now)]))
        if load.campaign:
            self.timeline.after(load.campaign_at, self._campaign)
        self.timeline.run(warm_up)
        self._reset()
        self.timeline.run(warm_up + seconds)
        return self.observed

    def _reset(self) -> None:
        self.observed = Observed()
        for station in (*self.stations().values(), *self.counters):
            station.taken.reset()
        self.in_system.reset()

    def stations(self) -> dict[str, Station]:
        return {
            "producers": self.producers,
            "PostgreSQL cores": self.postgres.cores,
            "PostgreSQL connections": self.postgres.connections,
            "consumers": self.consumers,
            "senders": self.senders,
            "acks handlers": self.ack_handlers,
        }

    def _next(self, rate: float, action: Action) -> None:
        """Again and again, Poisson."""

        def again() -> None:
            action()
            self.timeline.after(self.random.expovariate(rate), again)

        self.timeline.after(self.random.expovariate(rate), again)

    def _python(self, cost: Cost, items: int) -> float:
        return cost.of(items) / self.parts.share_of_core()

    # -- accept

    def _request(self) -> None:
        began, count = self.timeline.now, self.scenario.load.per_request
        self.asked += count
        row = self.random.choice(self.counters)
        cpu = self.times.postgres_accept.of(count)
        after = self.times.redis.of(count) + self.times.trip.fixed

        def committed() -> None:
            row.release()
            self.accepted += count
            now = self.timeline.now
            self.observed.redis += self.times.redis.of(count)
            self._due([self._draw.delivery(now) for _ in range(count)])
            self.timeline.after(after, answered)

        def answered() -> None:
            self.producers.release()
            self.observed.accepting.append(self.timeline.now - began)

        def stored() -> None:
            row.acquire(lambda: self.postgres.run(cpu, committed))

        self.producers.acquire(lambda: self.timeline.after(self._python(self.times.accept, count), stored))

    def _campaign(self) -> None:
        lane = next(each for each in self.scenario.load.shares() if each.priority is Priority.LOW)
        self._due([Delivery(0, lane, self.timeline.now) for _ in range(self.scenario.load.campaign)])

    def _due(self, deliveries: list[Delivery]) -> None:
        self.entered += len(deliveries)
        self.in_system.add(len(deliveries))
        self._index(deliveries)

    def _index(self, deliveries: list[Delivery]) -> None:
        for each in deliveries:
            self.lanes[each.lane].put(each)
        if not self._awake:
            self._awake = True
            self.timeline.after(self.times.trip.fixed, self._turn)

    # -- dispatch

    def _turn(self) -> None:
        """One look at every lane; a lane gets no more than its credit leaves."""
        taken = [each for lane in LANES for each in self.lanes[lane].take(self._room(lane))]
        if not taken:
            self._rest()
            return
        began, share = self.timeline.now, self.parts.dispatcher_share()
        claiming = len(LANES) * self.times.claim.fixed + self.times.claim.per_item * len(taken)
        computing = (self.times.dispatch.of(len(taken)) + self.times.kafka.per_item * len(taken)) / share
        self.observed.redis += claiming

        def marked() -> None:
            self.timeline.after(computing + self.times.kafka.fixed, produced)

        def produced() -> None:
            self.observed.turns += 1
            self.observed.dispatched += len(taken)
            self.observed.dispatching += self.timeline.now - began
            self._place(taken)
            self._turn()

        def claimed() -> None:
            self.postgres.run(self.times.postgres_dispatch.of(len(taken)), marked)

        self.timeline.after(claiming + 2 * self.times.trip.fixed, claimed)

    def _rest(self) -> None:
        """Asleep until something is due; where all that is due lacks credit, until the next look."""
        self._awake = any(queue.size for queue in self.lanes.values())
        if self._awake:
            self.timeline.after(len(LANES) * self.times.claim.fixed + 2 * self.times.trip.fixed, self._turn)

    def _room(self, lane: Lane) -> int:
        left = self.parts.credit(lane.priority) - sum(each.uncommitted for each in self.topics[lane])
        if left <= 0:
            left = self._floor(lane)
        return min(TURN_LIMIT_BESIDE_URGENT if self._urgent_about(lane.priority) else TURN_LIMIT, left)

    def _floor(self, lane: Lane) -> int:
        """So many a second, and none of it saved up for longer."""
        now = self.timeline.now
        grown = int(FLOOR * min(1.0, now - self._floored.get(lane, now - 1.0)))
        if grown:
            self._floored[lane] = now
        return grown

    def _urgent_about(self, priority: Priority) -> bool:
        order, now, about = list(Priority), self.timeline.now, ABOUT.total_seconds()
        return any(now - self._placed.get(each, -about) < about for each in order[: order.index(priority)])

    def _place(self, taken: list[Delivery]) -> None:
        placed: dict[Partition, list[Delivery]] = {}
        for each in taken:
            self._placed[each.lane.priority] = self.timeline.now
            placed.setdefault(self.random.choice(self.topics[each.lane]), []).append(each)
        for partition, records in placed.items():
            partition.put(records)

    # -- deliver

    def _partition(self, lane: Lane) -> Partition:
        def handle(batch: list[Delivery], done: Action) -> None:
            self.consumers.acquire(lambda: self._lease(lane, batch, done))

        return Partition(self.timeline, self.parts.batches[lane.priority], self.times.poll.fixed, handle)

    def _lease(self, lane: Lane, batch: list[Delivery], done: Action) -> None:
        self._count(lane.name, len(batch))

        def leased() -> None:
            asking = self.times.redis.of(len(batch))
            self.observed.redis += 2 * asking
            self.timeline.after(2 * (asking + self.times.trip.fixed), lambda: self._send(batch, done))

        def computed() -> None:
            self.postgres.run(self.times.postgres_lease.of(len(batch)), leased)

        self.timeline.after(self._python(self.times.lease, len(batch)), computed)

    def _send(self, batch: list[Delivery], done: Action) -> None:
        """Groups, so many at once; what the provider's limit keeps back is reported at once, to come again."""
        going = [each for each in batch if self._may_go(each)]
        parked = [each for each in batch if each.parked]
        groups = deque(going[start : start + GROUP_SIZE] for start in range(0, len(going), GROUP_SIZE))
        under_way = min(OVERLAP, len(groups))
        left = len(groups) + bool(parked)

        def ended() -> None:
            nonlocal left
            left -= 1
            if groups:
                self._invoke(groups.popleft(), ended)
            if not left:
                self.consumers.release()
                done()

        self.observed.parked += len(parked)
        if parked:
            self._report(parked, ended)
        for _ in range(under_way):
            self._invoke(groups.popleft(), ended)

    def _may_go(self, delivery: Delivery) -> bool:
        rate = self.scenario.provider.per_second
        if rate is None or delivery.slot:
            delivery.parked = False
            return True
        key, now = (delivery.project, delivery.lane.channel), self.timeline.now
        slot = max(now, self._slots.get(key, now))
        self._slots[key] = slot + 1 / rate
        if slot <= now + TURN:
            return True
        delivery.slot, delivery.parked = slot, True
        return False

    def _invoke(self, group: list[Delivery], ended: Action) -> None:
        def invoked() -> None:
            found = answers(self.times, self.parts, self.scenario.provider, len(group), self.random)
            began = self.timeline.now
            self.observed.lateness += [
                (each.lane, each.project, began + at - each.due) for each, at in zip(group, found, strict=True)
            ]
            self.timeline.after(max(found), answered)

        def answered() -> None:
            self.senders.release()
            self._report(group, ended)

        self.senders.acquire(invoked)

    def _report(self, deliveries: list[Delivery], then: Action) -> None:
        def produced() -> None:
            placed: dict[Partition, list[Delivery]] = {}
            for each in deliveries:
                placed.setdefault(self.random.choice(self.acks), []).append(each)
            for partition, records in placed.items():
                partition.put(records)
            then()

        computing = self.times.kafka.per_item * len(deliveries) / self.parts.share_of_core()
        self.timeline.after(self.times.kafka.fixed + computing, produced)

    # -- acknowledge

    def _acknowledge(self, batch: list[Delivery], done: Action) -> None:
        self._count("acks", len(batch))

        def applied() -> None:
            self.ack_handlers.release()
            for each in batch:
                self._settle(each)
            done()

        def computed() -> None:
            self.postgres.run(self.times.postgres_ack.of(len(batch)), applied)

        self.ack_handlers.acquire(lambda: self.timeline.after(self._python(self.times.ack, len(batch)), computed))

    def _settle(self, delivery: Delivery) -> None:
        now = self.timeline.now
        if delivery.parked:
            self.timeline.after(max(0.0, delivery.slot - now), lambda: self._index([delivery]))
            return
        self.acknowledged += 1
        self.in_system.add(-1)
        self.observed.acknowledged += 1
        self.observed.in_system_seconds += now - delivery.due

    def _count(self, name: str, records: int) -> None:
        self.observed.batches[name] = self.observed.batches.get(name, 0) + 1
        self.observed.batched[name] = self.observed.batched.get(name, 0) + records


class _Draw:
    """Whose a delivery is, and in which lane."""

    def __init__(self, load: Load, random: Random) -> None:
        self._random = random
        self._projects = range(load.projects)
        self._project_weights = list(accumulate(1 / (rank + 1) ** load.skew for rank in self._projects))
        shares = load.shares()
        self._lanes, self._lane_weights = list(shares), list(accumulate(shares.values()))

    def delivery(self, due: float) -> Delivery:
        (project,) = self._random.choices(self._projects, cum_weights=self._project_weights)
        (lane,) = self._random.choices(self._lanes, cum_weights=self._lane_weights)
        return Delivery(project, lane, due)
