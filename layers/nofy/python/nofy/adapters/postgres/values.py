"""Between rows and values: lists as arrays, fences as columns, lanes from their two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nofy.domain.routing import Channel, Lane, Priority
from nofy.ports.schedule import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nofy.domain.delivery import Fence


def array(values: Iterable[Any]) -> str:
    """A column of values as the text of one array, which its statement casts (``%(ids)s::uuid[]``).

    psycopg2 would write an expression for every element, each with a cast of its own: PostgreSQL's parser and ours
    then take longer over a batch of five hundred than its execution does.
    """
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    # A word that could be taken for NULL, a comma, a brace or a space is none of these in quotes.
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def moments(values: Iterable[datetime | None]) -> str:
    """The same for moments. ISO 8601 has nothing in it that an array would take for its own."""
    return "{" + ",".join("NULL" if each is None else each.isoformat() for each in values) + "}"


def fence_columns(fences: Sequence[Fence]) -> dict[str, Any]:
    """The parameters ``ids``, ``attempt_nos`` and ``due_ats`` that every fenced statement takes."""
    return {
        "ids": array(each.delivery_id for each in fences),
        "attempt_nos": array(each.attempt_no for each in fences),
        "due_ats": moments(each.due_at for each in fences),
    }


def lane(channel: str, priority: str) -> Lane:
    return Lane(Channel(channel), Priority(priority))


def entries(rows: Sequence[tuple[Any, ...]]) -> list[Entry]:
    """Rows of ``channel, priority, project_id, id, due_at`` as entries of the schedule."""
    return [Entry(lane(channel, priority), *more) for channel, priority, *more in rows]
