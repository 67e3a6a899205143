"""What arrives, and how many there are of each part to bear it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.simulation.sending import slowest_seconds
from infra.settings import Batch, Stage, load_settings
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.domain.timing import INDEX_WINDOW
from nofy.pipeline.credit import TURN_LIMIT, TURN_LIMIT_BESIDE_URGENT
from nofy.pipeline.deliver import OVERLAP
from nofy.pipeline.group import GROUP_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.simulation.service_times import ServiceTimes

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: a whole vCPU comes at 1,769 MB.
MEMORY_OF_A_CORE = 1_769
# vCPU of an m7g by its size (from memory).
CORES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48, "16xlarge": 64}
# The counter of accepted deliveries has so many rows an hour (adapters/postgres/acceptances.py).
COUNTER_ROWS = 16
# A part is given so much that it is used by this share: what comes in bursts needs the rest.
ROOM = 0.6
YEAR = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """What arrives. ``rate`` deliveries a second, in Poisson requests of ``per_request``; and due ones out of
    ``scheduled`` that were accepted long ago and are due evenly over ``ahead`` seconds.

    Projects share it as one over their rank to the power of ``skew``. ``campaign`` deliveries of project 0 in ``low``
    are due at once, ``campaign_at`` seconds in.
    """

    rate: float
    per_request: int = 20
    scheduled: float = 0.0
    ahead: float = YEAR
    projects: int = 100
    skew: float = 1.0
    priorities: Mapping[Priority, float] | None = None
    channels: Mapping[Channel, float] | None = None
    campaign: int = 0
    campaign_at: float = 0.0

    @property
    def due_rate(self) -> float:
        """Deliveries a second that become due, whenever they were accepted."""
        return self.rate + self.scheduled / self.ahead

    @property
    def in_window(self) -> float:
        """So many of the scheduled are in Redis at a time."""
        return self.scheduled / self.ahead * INDEX_WINDOW

    def shares(self) -> dict[Lane, float]:
        """Each lane's share of what is due; one part ``high``, six ``normal``, three ``low`` unless said otherwise."""
        priorities = self.priorities or {Priority.HIGH: 0.1, Priority.NORMAL: 0.6, Priority.LOW: 0.3}
        channels = self.channels or {Channel.EMAIL: 0.5, Channel.SLACK: 0.3, Channel.WHATSAPP: 0.2}
        return {
            lane: priorities.get(lane.priority, 0.0) * channels.get(lane.channel, 0.0)
            for lane in LANES
            if priorities.get(lane.priority) and channels.get(lane.channel)
        }


@dataclass(frozen=True, slots=True)
class Provider:
    """How long a call takes, and how many a second each project's integration of a channel bears (None: any).

    ``seconds`` are the mean; ``spread`` is the log-normal's sigma (0: always the same).
    """

    seconds: float = 0.25
    spread: float = 0.5
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """How many there are of each, and how large.

    ``memory`` is the MB of a function, ``producers`` and the like how many of it may run at once.
    """

    producers: int
    consumers: int
    senders: int
    ack_handlers: int
    dispatcher_memory: int
    memory: int
    partitions: Mapping[Priority, int]
    ack_partitions: int
    batches: Mapping[Priority, Batch]
    ack_batch: Batch
    postgres_cores: int
    connections: int

    def turn_limit(self, lanes: Iterable[Lane]) -> int:
        """The most deliveries in a turn, where all these lanes have work all the time."""
        order = list(Priority)
        busy = list(lanes)
        first = min((order.index(each.priority) for each in busy), default=0)
        return sum(TURN_LIMIT if order.index(each.priority) == first else TURN_LIMIT_BESIDE_URGENT for each in busy)

    def share_of_core(self) -> float:
        return min(1.0, self.memory / MEMORY_OF_A_CORE)

    def dispatcher_share(self) -> float:
        return min(1.0, self.dispatcher_memory / MEMORY_OF_A_CORE)

    def credit(self, priority: Priority) -> int:
        """Records that a lane may have in Kafka: two batches for each of its partitions."""
        return self.partitions[priority] * 2 * self.batches[priority].size


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run."""

    times: ServiceTimes
    load: Load
    parts: Parts
    provider: Provider = Provider()


def deployed() -> Parts:
    """Stage ``prod`` of cdk.json, as it is."""
    settings = load_settings(Stage.PROD)
    assert settings.cloud is not None
    postgres, reserved = settings.cloud.postgres, settings.reserved_concurrency
    batches = settings.batches
    return Parts(
        producers=reserved["producer"],
        consumers=reserved["consumer"],
        senders=reserved["consumer"] * OVERLAP,
        ack_handlers=reserved["acks"],
        dispatcher_memory=512,
        memory=512,
        partitions=dict.fromkeys(Priority, settings.partitions.deliveries),
        ack_partitions=settings.partitions.acks,
        batches={Priority.HIGH: batches.high, Priority.NORMAL: batches.normal, Priority.LOW: batches.low},
        ack_batch=batches.acks,
        postgres_cores=CORES[postgres.instance_type.rpartition(".")[2]],
        connections=postgres.max_connections,
    )


def provisioned(times: ServiceTimes, load: Load, provider: Provider) -> Parts:
    """What is deployed, and more where the load needs it to be used by :data:`ROOM`. A dispatcher has a whole core."""
    parts = replace(deployed(), dispatcher_memory=MEMORY_OF_A_CORE)
    busiest = {
        priority: max(share for lane, share in load.shares().items() if lane.priority is priority) * load.due_rate
        for priority in {lane.priority for lane in load.shares()}
    }
    partitions = {
        priority: max(
            parts.partitions[priority],
            _enough(rate * batch_seconds(times, parts, provider, priority), parts.batches[priority].size),
        )
        for priority, rate in busiest.items()
    }
    acks = _enough(load.due_rate * ack_seconds(times, parts), parts.ack_batch.size)
    ack_partitions = max(parts.ack_partitions, acks)
    consumers = sum(partitions[lane.priority] for lane in load.shares())
    return replace(
        parts,
        producers=max(
            parts.producers,
            _enough(load.rate * accept_seconds(times, parts, load.per_request), load.per_request),
        ),
        consumers=consumers,
        senders=consumers * OVERLAP,
        ack_handlers=ack_partitions,
        partitions={priority: partitions.get(priority, 1) for priority in Priority},
        ack_partitions=ack_partitions,
        postgres_cores=max(
            parts.postgres_cores, _enough(load.due_rate * postgres_seconds(times, parts, load.per_request), 1)
        ),
    )


def _enough(work: float, at_once: float) -> int:
    """So many of what does ``at_once`` in a second, for that much ``work`` a second."""
    return math.ceil(work / at_once / ROOM)


def accept_seconds(times: ServiceTimes, parts: Parts, notifications: int) -> float:
    """A request, from the function's beginning to its end, where nobody waits for anybody."""
    python = times.accept.of(notifications) / parts.share_of_core()
    trips = 2 * times.trip.fixed + times.postgres_commit.fixed
    return python + trips + times.postgres_accept.of(notifications) + times.redis.of(notifications)


def batch_seconds(times: ServiceTimes, parts: Parts, provider: Provider, priority: Priority) -> float:
    """A full batch in a consumer: leased, sent in overlapping groups, reported."""
    size = parts.batches[priority].size
    groups = math.ceil(size / GROUP_SIZE)
    rounds = math.ceil(groups / OVERLAP)
    lease = times.lease.of(size) / parts.share_of_core() + statement_seconds(times, times.postgres_lease.of(size))
    report = times.kafka.fixed + times.kafka.per_item * GROUP_SIZE / parts.share_of_core()
    sent = slowest_seconds(times, parts, provider, math.ceil(groups / rounds), min(size, GROUP_SIZE))
    return lease + 2 * (times.redis.of(size) + times.trip.fixed) + rounds * (sent + report)


def ack_seconds(times: ServiceTimes, parts: Parts) -> float:
    """A full batch of acks."""
    size = parts.ack_batch.size
    return times.ack.of(size) / parts.share_of_core() + statement_seconds(times, times.postgres_ack.of(size))


def turn_seconds(times: ServiceTimes, parts: Parts, lanes: int, items: int) -> float:
    """A turn of the dispatcher that takes ``items`` from so many lanes."""
    python = (times.dispatch.of(items) + times.kafka.per_item * items) / parts.dispatcher_share()
    redis = lanes * times.claim.fixed + times.claim.per_item * items + 2 * times.trip.fixed
    return python + redis + statement_seconds(times, times.postgres_dispatch.of(items)) + times.kafka.fixed


def statement_seconds(times: ServiceTimes, cpu: float) -> float:
    return times.trip.fixed + cpu + times.postgres_commit.fixed


def postgres_seconds(times: ServiceTimes, parts: Parts, per_request: int) -> float:
    """PostgreSQL's CPU for one delivery in full batches, from accepted to acknowledged."""
    size = parts.batches[Priority.NORMAL].size
    accept = times.postgres_accept.of(per_request) / per_request
    turn = times.postgres_dispatch.of(TURN_LIMIT) / TURN_LIMIT
    return accept + turn + times.postgres_lease.of(size) / size + times.postgres_ack.of(size) / size
