"""What projects weigh: remembered of those served last, and of no more than so many."""

from __future__ import annotations

from uuid import UUID

from nofy.domain.delivery import Fence, Waiting
from nofy.domain.routing import Channel, Lane, Priority
from nofy.pipeline.weights import MOST_WEIGHTS, Weights
from tests.fakes import NOON

SLACK = Lane(Channel.SLACK, Priority.NORMAL)


def test_the_weights_of_so_many_projects_are_remembered_those_served_last() -> None:
    weights = Weights()
    for number in [*range(MOST_WEIGHTS), 0, MOST_WEIGHTS]:
        fence = Fence(UUID(int=number), 1, NOON)
        weights.learn([Waiting(fence, UUID(int=number), SLACK, "C0123", NOON, integration_held=False, weight=2)])
    assert len(weights.known) == MOST_WEIGHTS
    assert UUID(int=0) in weights.known
    assert UUID(int=1) not in weights.known
