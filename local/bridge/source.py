"""An event source: one topic read under one consumer group on behalf of one function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

FOREVER = -1


@dataclass(frozen=True, slots=True)
class EventSource:
    """As the CDK app publishes it. ``retry_attempts`` counts what follows the first try; -1 is without end."""

    topic: str
    group: str
    function: str
    partitions: int
    batch_size: int
    window_ms: int
    on_failure: str | None
    retry_attempts: int

    def __post_init__(self) -> None:
        """Lambda refuses these combinations too, or turns them into something else without a word."""
        if self.on_failure == self.topic:
            raise ValueError(f"{self.topic}: its on-failure topic is itself")
        if self.retry_attempts != FOREVER and self.on_failure is None:
            raise ValueError(f"{self.topic}: bounded retries without an on-failure topic would lose records")

    @property
    def retries_forever(self) -> bool:
        return self.retry_attempts == FOREVER


def parse_sources(parameter: str) -> list[EventSource]:
    """The SSM parameter's value, a JSON list of objects with exactly these fields."""
    entries: list[dict[str, Any]] = json.loads(parameter)
    return [EventSource(**entry) for entry in entries]
