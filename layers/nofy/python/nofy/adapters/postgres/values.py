"""Between rows and values: lists of fences as columns, lanes from their two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.routing import Channel, Lane, Priority
from nofy.ports.schedule import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nofy.domain.delivery import Fence


def fence_columns(fences: Sequence[Fence]) -> dict[str, list[Any]]:
    """The parameters ``ids``, ``attempt_nos`` and ``due_ats`` that every fenced statement takes."""
    return {
        "ids": [each.delivery_id for each in fences],
        "attempt_nos": [each.attempt_no for each in fences],
        "due_ats": [each.due_at for each in fences],
    }


def lane(channel: str, priority: str) -> Lane:
    return Lane(Channel(channel), Priority(priority))


def entries(rows: Sequence[tuple[Any, ...]]) -> list[Entry]:
    """Rows of ``channel, priority, project_id, id, due_at`` as entries of the schedule."""
    return [Entry(lane(channel, priority), *more) for channel, priority, *more in rows]
