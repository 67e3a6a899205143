"""What a run came to, and its tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.simulation.pipeline import Pipeline
from bench.simulation.scenario import ack_seconds, batch_seconds, turn_seconds
from bench.simulation.sending import slowest_seconds
from nofy.domain.routing import LANES, Priority
from nofy.pipeline.group import GROUP_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.simulation.scenario import Scenario

LARGEST, OTHERS = "largest project", "all others"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds, of ``count`` deliveries."""

    count: int
    p50: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a part is used, and at what load in all (deliveries a second) it would be full.

    Of what works in batches, being busy says little: a batch that is nearly empty takes nearly as long as a full one.
    Its use is what it did over what it can do in full batches. ``at_once``: so many of it were at work on average.
    """

    part: str
    share: float
    full_at: float
    batch: float | None = None
    at_once: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Of the time after the warm-up."""

    seconds: float
    arrived: float
    throughput: float
    accept: Percentiles
    lateness: dict[str, Percentiles]
    uses: tuple[Use, ...]
    mean_in_system: float
    mean_seconds_in_system: float
    parked: float

    @property
    def first(self) -> Use:
        """The part that is full before all others."""
        return max(self.uses, key=lambda use: use.share)


def simulate(scenario: Scenario, *, seconds: float, warm_up: float, seed: int) -> Results:
    pipeline = Pipeline(scenario, seed)
    observed = pipeline.run(seconds, warm_up)
    throughput = observed.acknowledged / seconds
    return Results(
        seconds=seconds,
        arrived=scenario.load.due_rate,
        throughput=throughput,
        accept=percentiles(observed.accepting),
        lateness=dict(_lateness(pipeline)),
        uses=tuple(_uses(pipeline, seconds, throughput)),
        mean_in_system=pipeline.in_system.mean(),
        mean_seconds_in_system=observed.in_system_seconds / max(1, observed.acknowledged),
        parked=observed.parked / seconds,
    )


def percentiles(values: Iterable[float]) -> Percentiles:
    ordered = sorted(values)
    if not ordered:
        return Percentiles(0, 0.0, 0.0, 0.0)
    count = len(ordered)
    return Percentiles(count, ordered[count // 2], ordered[count * 99 // 100], ordered[-1])


def _lateness(pipeline: Pipeline) -> Iterator[tuple[str, Percentiles]]:
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for lane, project, seconds in pipeline.observed.lateness:
        groups[lane.priority].append(seconds)
        groups[OTHERS if project else LARGEST].append(seconds)
    for name in (*Priority, LARGEST, OTHERS):
        if groups[name]:
            yield name, percentiles(groups[name])


def _uses(pipeline: Pipeline, seconds: float, throughput: float) -> Iterator[Use]:
    for name, station in pipeline.stations().items():
        work = in_full_batches(pipeline.scenario).get(name)
        share = throughput * work / station.capacity if work else station.used()
        yield replace(_use(name, share, throughput), at_once=station.taken.mean())
    counters = sum(each.taken.mean() for each in pipeline.counters) / len(pipeline.counters)
    yield _use("rows of the accepted counter", counters, throughput)
    yield _use("Redis, all lanes together", pipeline.observed.redis / seconds, throughput)
    yield _dispatcher(pipeline, seconds, throughput)
    for name, most in ceilings(pipeline.scenario).items():
        records = pipeline.observed.batched.get(name, 0)
        mean = records / max(1, pipeline.observed.batches.get(name, 0))
        yield _use(name if name == "acks" else f"lane {name}", records / seconds / most, throughput, mean)


def _use(part: str, share: float, throughput: float, batch: float | None = None) -> Use:
    return Use(part, share, throughput / share if share else float("inf"), batch)


def _dispatcher(pipeline: Pipeline, seconds: float, throughput: float) -> Use:
    """Its ceiling is a turn that takes all it may from every lane that has something."""
    observed, lanes = pipeline.observed, pipeline.scenario.load.shares()
    most = pipeline.parts.turn_limit(lanes)
    ceiling = most / turn_seconds(pipeline.times, pipeline.parts, len(LANES), most)
    share = observed.dispatched / seconds / ceiling
    return _use("dispatcher", share, throughput, observed.dispatched / max(1, observed.turns))


def ceilings(scenario: Scenario) -> dict[str, float]:
    """Records a second that each lane with traffic, and acks, can do in full batches."""
    times, parts, provider = scenario.times, scenario.parts, scenario.provider
    found = {
        lane.name: parts.partitions[lane.priority]
        * parts.batches[lane.priority].size
        / batch_seconds(times, parts, provider, lane.priority)
        for lane in scenario.load.shares()
    }
    return found | {"acks": parts.ack_partitions * parts.ack_batch.size / ack_seconds(times, parts)}


def in_full_batches(scenario: Scenario) -> dict[str, float]:
    """Seconds that a delivery takes of a function that works in batches, where all of them are full."""
    times, parts, provider, shares = scenario.times, scenario.parts, scenario.provider, scenario.load.shares()
    consumer = sum(
        share * batch_seconds(times, parts, provider, lane.priority) / parts.batches[lane.priority].size
        for lane, share in shares.items()
    )
    sender = slowest_seconds(times, parts, provider, 1, GROUP_SIZE) / GROUP_SIZE
    acks = ack_seconds(times, parts) / parts.ack_batch.size
    return {"consumers": consumer / sum(shares.values()), "senders": sender, "acks handlers": acks}


def table(results: Results) -> str:
    lines = [
        f"{results.arrived:,.0f}/s due, {results.throughput:,.0f}/s acknowledged over {results.seconds:.0f} s",
        f"{results.mean_in_system:,.0f} under way on average, each for {results.mean_seconds_in_system:.2f} s",
        "",
        *_rows("due to answered, seconds", ("p50", "p99", "most", "deliveries"), _latencies(results)),
        "",
        *_rows("part", ("used", "full at /s", "mean batch", "at once"), _parts(results)),
        "",
        f"full first: {results.first.part}, at {results.first.full_at:,.0f}/s",
    ]
    if results.parked:
        lines.append(f"{results.parked:,.0f}/s had to wait for a slot at their provider")
    return "\n".join(lines)


def _rows(title: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    yield f"{title:<32}" + "".join(f"{each:>12}" for each in columns)
    for name, cells in rows:
        yield f"{name:<32}" + "".join(f"{each:>12}" for each in cells)


def _latencies(results: Results) -> Iterator[tuple[str, Sequence[str]]]:
    for name, each in {**results.lateness, "(a request, until its 202)": results.accept}.items():
        yield name, (f"{each.p50:.2f}", f"{each.p99:.2f}", f"{each.most:.2f}", f"{each.count:,}")


def _parts(results: Results) -> Iterator[tuple[str, Sequence[str]]]:
    for use in sorted(results.uses, key=lambda use: -use.share):
        full = f"{use.full_at:,.0f}" if use.share else "-"
        batch, at_once = (f"{each:,.1f}" if each else "" for each in (use.batch, use.at_once))
        yield use.part, (f"{use.share:.0%}", full, batch, at_once)
