"""Time and randomness, passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The present moment, aware and in UTC."""

    def __call__(self) -> datetime: ...


class Random(Protocol):
    """A number in [0, 1)."""

    def __call__(self) -> float: ...
