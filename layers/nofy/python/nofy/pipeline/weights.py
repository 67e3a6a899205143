"""What projects weigh when they take turns (docs/adr/0008), as far as a dispatcher remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from nofy.domain.delivery import Waiting

# Projects whose weight is remembered from one turn to the next: an operator gives weights to a few. Of more, those
# served last are; the others weigh 1 until they are served again.
MOST_WEIGHTS = 1_000


class Weights:
    """What projects with due work weigh, where it is not 1: learnt from the rows that are dispatched anyway.

    So another weight counts from the turn after the one in which the project was next served.
    """

    def __init__(self) -> None:
        self.known: dict[UUID, int] = {}

    def learn(self, waiting: Iterable[Waiting]) -> None:
        for project_id, weight in {each.project_id: each.weight for each in waiting}.items():
            self.known.pop(project_id, None)
            if weight != 1:
                self.known[project_id] = weight
        for project_id in list(self.known)[:-MOST_WEIGHTS]:
            del self.known[project_id]
