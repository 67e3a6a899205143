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

# A second record costs Kafka a record and a lease a row, but no call. Where with them more than this part of what a
# lane may have unread would be quiet projects', there are none: those are many, and the lane's load themselves.
QUIET_PART = 1 / 4


def hedge(projects: Sequence[UUID], partitions: Sequence[int], unread: Unread, target: int) -> list[tuple[int, ...]]:
    """Each record's partitions: the one that was chosen for it, and a second for who does not hold the lane's credit.

    ``projects``: whose the records are. No second ones where nobody holds the credit, as batches are short then.
    """
    holders, of_turn = unread.holders, Counter(projects)
    few = {each for each, count in of_turn.items() if unread.of[each] + count < HELD}
    quiet = sum(count for project, count in unread.of.items() if project not in holders)
    if not holders or quiet + 2 * sum(of_turn[each] for each in few) > target * QUIET_PART:
        return [(each,) for each in partitions]
    return [
        (each, *unread.second(each)) if project in few else (each,)
        for each, project in zip(partitions, projects, strict=True)
    ]
