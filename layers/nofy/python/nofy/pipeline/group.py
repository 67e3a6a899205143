"""Group: what one invoke of a sender carries of a consumer's batch."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from nofy.domain.delivery import Leased
    from nofy.domain.routing import Provider
    from nofy.ports.sender import Sender

# One invoke's share. 4 MB is Lambda's 6 MB limit with room for the envelope; 128 messages at 32 calls in flight
# are four rounds of the provider's time-out at the worst, which the sender's time-out covers.
GROUP_BYTES = 4 * 1024 * 1024
GROUP_SIZE = 128


def groups(leased: Iterable[Leased], sender: Sender) -> Iterator[list[Leased]]:
    """Each of one provider's deliveries, cut; projects take turns in them, as they did on the way here.

    The records of a quiet project lie at the end of a batch if they came last, behind hundreds of somebody else's: each
    group's calls are made in order, so many at once.
    """
    turns: Counter[UUID] = Counter()

    def turn(each: Leased) -> tuple[Provider, int]:
        turns[each.project_id] += 1
        return each.provider, turns[each.project_id]

    ordered = sorted(leased, key=turn)
    for _, same_provider in groupby(ordered, key=lambda each: each.provider):
        yield from cut(same_provider, sender)


def cut(leased: Iterable[Leased], sender: Sender) -> Iterator[list[Leased]]:
    """Groups of at most :data:`GROUP_SIZE` deliveries and :data:`GROUP_BYTES`."""
    group: list[Leased] = []
    size = 0
    for each in leased:
        weight = sender.weigh(each)
        if group and (len(group) >= GROUP_SIZE or size + weight > GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(each)
        size += weight
    if group:
        yield group
