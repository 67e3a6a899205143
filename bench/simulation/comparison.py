"""The simulation beside what is known otherwise: formulas, and measurements of the whole pipeline on one machine.

A measurement stands in ``service_times.json`` as ``"measured": {"p2": 0.93}``, made where the times were. The tests
compare each that is there with the same load simulated: whoever measures anew sees whether the model still holds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.simulation.pipeline import Pipeline
from bench.simulation.scenario import MEMORY_OF_A_CORE, Load, Provider, Scenario, deployed
from nofy.domain.routing import Channel, Priority
from nofy.pipeline.send import IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.simulation.scenario import Parts
    from bench.simulation.service_times import ServiceTimes

# As P2 has it: a provider that takes 50 ms, 32 calls in flight, so 640 a second in theory.
P2_SECONDS = 0.05
P2_DELIVERIES = 20_000


def md1_wait(rate: float, service: float) -> float:
    """The mean wait before a single server that takes ``service`` seconds for each of Poisson arrivals (M/D/1)."""
    used = rate * service
    return math.inf if used >= 1 else used * service / (2 * (1 - used))


def group_seconds(times: ServiceTimes, parts: Parts, provider: Provider, calls: int) -> float:
    """A sender's invoke, where every call takes the same: rounds of as many calls as there are places.

    A round takes the call or the beginnings of its calls, one after the other on one core, whichever is longer.
    """
    share = parts.share_of_core()
    begin = times.send.per_item / share
    rounds, last = divmod(calls - 1, IN_FLIGHT)
    each = max(provider.seconds + begin, begin * IN_FLIGHT)
    return times.send.fixed / share + rounds * each + (last + 1) * begin + provider.seconds


def p2(times: ServiceTimes, seed: int = 1) -> float:
    """A backlog through one sender, over what its calls in flight would do without anything around them."""
    load = Load(
        rate=0,
        campaign=P2_DELIVERIES,
        priorities={Priority.LOW: 1.0},
        channels={Channel.EMAIL: 1.0},
    )
    parts = replace(deployed(), senders=1, memory=MEMORY_OF_A_CORE, dispatcher_memory=MEMORY_OF_A_CORE)
    pipeline = Pipeline(Scenario(times, load, parts, Provider(P2_SECONDS, spread=0)), seed)
    theory = IN_FLIGHT / P2_SECONDS
    observed = pipeline.run(seconds=3 * P2_DELIVERIES / theory, warm_up=0)
    return P2_DELIVERIES / max(seconds for _, _, seconds in observed.lateness) / theory


SIMULATED: dict[str, Callable[[ServiceTimes], float]] = {"p2": p2}


def compare(times: ServiceTimes, measured: dict[str, float]) -> dict[str, float]:
    """Each measurement's name with what is simulated over what was measured; KeyError for one nobody can simulate."""
    return {name: SIMULATED[name](times) / value for name, value in measured.items()}
