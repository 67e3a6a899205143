"""Which records go to two consumers at once, for whichever is done with its batch first.

A consumer takes nothing new while it has a batch in hand, so a quiet project's delivery beside a busy one's waits for
the end of a batch. When that will be is not known well enough to choose by: commits are seen some 20 ms late, a third
of a batch (P10 of docs/performance.md). Two records for two consumers wait for the sooner end of two, whatever is
known. That is a hedged request (Dean and Barroso, The Tail at Scale, 2013).

Both carry the same fence, so that of the two leases one finds the delivery taken: as with any record that Kafka hands
over twice, or that two dispatchers have produced.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nofy.pipeline.unread import HELD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from nofy.pipeline.unread import Unread

# A second record costs Kafka a record and a lease a row, but no call. Where this part of what a lane may have unread is
# quiet projects', there are many of them, and no second ones: they are the lane's load themselves.
QUIET_PART = 1 / 4


def hedge(projects: Sequence[UUID], partitions: Sequence[int], unread: Unread, target: int) -> list[tuple[int, ...]]:
    """Each record's partitions: the one that was chosen for it, and a second for who does not hold the lane's credit.

    ``projects``: whose the records are. No second ones where nobody holds the credit, as batches are short then.
    """
    holders = unread.holders
    quiet = sum(count for project, count in unread.of.items() if project not in holders)
    if not holders or quiet >= target * QUIET_PART:
        return [(each,) for each in partitions]
    few = {each for each, count in Counter(projects).items() if unread.of[each] + count < HELD}
    return [
        (each, *unread.second(each)) if project in few else (each,)
        for each, project in zip(partitions, projects, strict=True)
    ]
