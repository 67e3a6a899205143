"""``python -m bench.simulation --rate 1000 --scheduled 1e9``: a table of what the pipeline does under a load.

Above ``--cell`` deliveries a second the load is divided among as many cells (stacks of their own, with projects of
their own), and one of them is simulated. Parts are provisioned for the load, or as ``prod`` in cdk.json (--deployed).
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

from bench.simulation import service_times
from bench.simulation.results import simulate, table
from bench.simulation.scenario import Load, Parts, Provider, Scenario, deployed, provisioned

# Deliveries a second that one stack is meant for; docs/scaling.md says why.
CELL = 5_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--rate", type=float, default=1_000, help="deliveries accepted a second, in all")
    parser.add_argument("--cell", type=float, default=CELL, help="deliveries a second of one cell at most")
    parser.add_argument("--scheduled", type=float, default=0, help="accepted long ago, due evenly over --ahead-days")
    parser.add_argument("--ahead-days", type=float, default=365)
    parser.add_argument("--per-request", type=int, default=20, help="notifications in one request")
    parser.add_argument("--campaign", type=int, default=0, help="deliveries of one project, low, due at one moment")
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--skew", type=float, default=1.0, help="0: all projects send as much")
    parser.add_argument("--provider-ms", type=float, default=250)
    parser.add_argument("--spread", type=float, default=0.5, help="of the provider's answers; 0: all the same")
    parser.add_argument("--per-second", type=float, help="calls that each project's integration bears")
    parser.add_argument("--deployed", action="store_true", help="prod as cdk.json has it, and no more")
    parser.add_argument("--memory", type=int, help="MB of every function, the dispatcher among them")
    parser.add_argument("--times", type=Path, default=service_times.FILE)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def scenario_of(asked: argparse.Namespace, cells: int) -> Scenario:
    times = service_times.load(asked.times)
    provider = Provider(asked.provider_ms / 1_000, asked.spread, asked.per_second)
    load = Load(
        rate=asked.rate / cells,
        per_request=asked.per_request,
        scheduled=asked.scheduled / cells,
        ahead=asked.ahead_days * 86_400,
        projects=asked.projects,
        skew=asked.skew,
        campaign=asked.campaign,
        campaign_at=asked.warm_up,
    )
    parts = deployed() if asked.deployed else provisioned(times, load, provider)
    if asked.memory:
        parts = replace(parts, memory=asked.memory, dispatcher_memory=asked.memory)
    return Scenario(times, load, parts, provider)


def describe(parts: Parts) -> str:
    partitions = ", ".join(f"{count} {priority}" for priority, count in parts.partitions.items())
    return (
        f"at most {parts.producers} producers, {parts.consumers} consumers, {parts.senders} senders,"
        f" {parts.ack_handlers} acks handlers of {parts.memory} MB; a dispatcher of {parts.dispatcher_memory} MB\n"
        f"partitions of a lane: {partitions}; of acks: {parts.ack_partitions};"
        f" PostgreSQL: {parts.postgres_cores} cores, {parts.connections} connections"
    )


def main() -> None:
    asked = arguments()
    cells = max(1, math.ceil(asked.rate / asked.cell))
    scenario = scenario_of(asked, cells)
    if cells > 1:
        print(f"{cells} cells of {asked.rate / cells:,.0f}/s; this is one of them")
    print(describe(scenario.parts))
    if scenario.load.scheduled:
        print(f"{scenario.load.scheduled:,.0f} scheduled, {scenario.load.in_window:,.0f} of them in Redis at a time")
    print(table(simulate(scenario, seconds=asked.seconds, warm_up=asked.warm_up, seed=asked.seed)))


if __name__ == "__main__":
    main()
