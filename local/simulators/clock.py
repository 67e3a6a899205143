"""Time as the simulators tell it: a float of epoch seconds, passed in so that tests can move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]


def iso(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, as the rest of Nofy writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
