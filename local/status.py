"""``make status``: every part of the stack with its address, its process and whether it answers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local import (
    bridge_process,
    dashboard_process,
    kafka_broker,
    ministack,
    postgres,
    processes,
    redis_server,
    simulated_providers,
)
from local.choices import KafkaKind
from local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.stack import Stack


@dataclass(frozen=True)
class Part:
    """One line of the table. ``process`` None: not a process of ours, or not a process at all."""

    name: str
    address: str
    process: str | None
    answers: Callable[[], bool]


@dataclass(frozen=True)
class Line:
    """A part as it was found."""

    name: str
    address: str
    pid: str
    healthy: bool


def parts(stack: Stack) -> list[Part]:
    kafka = None if stack.kafka is KafkaKind.EXTERNAL else "kafka"
    return [
        Part("api", _api_url(stack) or "not deployed", None, lambda: _api_answers(stack)),
        Part("dashboard", stack.dashboard_url, "dashboard", lambda: dashboard_process.answers(stack.dashboard_url)),
        Part("inbox", stack.inbox_url, "simulators", lambda: simulated_providers.answers(stack.inbox_url)),
        Part(
            "postgres",
            f"{LOOPBACK}:{stack.ports.postgres}",
            "postgres",
            lambda: postgres.answers(stack.postgres),
        ),
        Part("redis", stack.redis_url, "redis", lambda: redis_server.answers(stack.ports.redis)),
        Part(
            f"kafka ({stack.kafka})",
            stack.kafka_bootstrap,
            kafka,
            lambda: kafka_broker.answers(stack.kafka_bootstrap),
        ),
        Part(
            "aws (ministack)",
            stack.aws_endpoint_url,
            "ministack",
            lambda: ministack.answers(stack.aws_endpoint_url),
        ),
        Part("bridge", "kafka -> lambda", "bridge", lambda: bridge_process.is_ready(stack.home)),
    ]


def look(stack: Stack) -> list[Line]:
    """All at the same time: a part that hangs costs its own time-out only."""
    alive = {record.name: record.pid for record in processes.records(stack.home) if record.process()}
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda part: _line(part, alive), parts(stack)))


def _line(part: Part, alive: dict[str, int]) -> Line:
    pid = alive.get(part.process) if part.process else None
    running = part.process is None or pid is not None
    return Line(part.name, part.address, str(pid or "-"), running and part.answers())


def table(lines: Sequence[Line]) -> str:
    rows = [("part", "address", "pid", "state")]
    rows += [(line.name, line.address, line.pid, "healthy" if line.healthy else "DOWN") for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])) for row in rows
    )


def _api_url(stack: Stack) -> str | None:
    path = stack.directory / "stack.json"
    return str(json.loads(path.read_text())["api_url"]) if path.exists() else None


def _api_answers(stack: Stack) -> bool:
    url = _api_url(stack)
    return url is not None and ministack.responds(f"{url}/v1/openapi.json")
