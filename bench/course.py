"""What a run of cases shares: the machine, brought up when the first case needs it, and how to take turns."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

from bench.machine import Machine, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Course:
    """One run. Cases leave the machine clean behind them."""

    def __init__(self, tell: Callable[[str], None], repeats: int) -> None:
        self.tell = tell
        self.repeats = repeats
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def machine(self) -> Machine:
        self.tell("PostgreSQL, Redis, Kafka and the stub provider start")
        return self._stack.enter_context(machine())

    def in_turns(self, sides: Mapping[str, Callable[[], float]], unit: str) -> dict[str, list[float]]:
        """A B A B: whatever else the machine does meets every side alike."""
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(self.repeats):
            for name, measure in sides.items():
                taken[name].append(measure())
                self.tell(f"  {turn + 1}/{self.repeats} {name}: {taken[name][-1]:.4g} {unit}")
        return taken
