"""Unread: what is in consumers' hands, what waits, and where the next records go."""

from __future__ import annotations

from uuid import UUID

from nofy.pipeline.unread import Unread
from nofy.ports.bus import Placement

PROJECT = UUID(int=1)
BATCH = 500


def lane(*ends: int) -> Unread:
    found = Unread()
    found.measure(dict(enumerate(ends)), {}, BATCH)
    return found


def place(unread: Unread, partition: int, count: int) -> None:
    assert unread.ends is not None
    for _ in range(count):
        unread.place(PROJECT, Placement(partition, unread.ends[partition]))


def measure(unread: Unread, committed: dict[int, int], batch: int = BATCH) -> int:
    return unread.measure(dict(unread.ends or {}), committed, batch)


def test_what_came_before_a_commit_is_in_hand_and_what_came_since_waits() -> None:
    unread = lane(0)
    place(unread, 0, 10)
    assert unread.room(8) == 0
    measure(unread, {0: 4})
    assert (unread.count, unread.room(8)) == (6, 8)
    place(unread, 0, 5)
    assert (unread.count, unread.room(8)) == (11, 3)


def test_a_consumer_that_commits_nothing_takes_nothing() -> None:
    unread = lane(0)
    place(unread, 0, 8)
    for _ in range(3):
        measure(unread, {})
        assert unread.room(8) == 0


def test_what_is_more_than_a_batch_is_in_nobodys_hands() -> None:
    unread = lane(0)
    place(unread, 0, 100)
    measure(unread, {0: 10}, batch=50)
    assert unread.waiting[0] == 40


def test_one_partition_that_has_all_it_may_leaves_the_others_their_room() -> None:
    unread = lane(0, 0)
    place(unread, 0, 100)
    assert unread.room(8) == 8


def test_batches_stay_equal_where_one_began_with_next_to_nothing() -> None:
    """By their sum alone a batch of one and one of fifteen would take turns for ever."""
    unread, read, batches = lane(0), 0, []
    place(unread, 0, 1)
    for _ in range(10):
        batches.append(unread.count)
        begun = (unread.ends or {})[0]
        place(unread, 0, unread.room(8))  # while it works
        read = begun
        measure(unread, {0: read})
    assert batches[2:] == [8] * 8


def test_records_go_to_whoever_has_the_shortest_batch_to_come_then_to_whoever_has_least_in_hand() -> None:
    unread = lane(0, 0, 0)
    place(unread, 0, 6)
    place(unread, 1, 2)
    measure(unread, {0: 1, 1: 1})  # five and one in hand
    assert unread.spread(7) == [2, 1, 0, 2, 1, 0, 2]
    place(unread, 2, 2)
    assert unread.spread(4) == [1, 0, 1, 0]


def test_a_copy_goes_to_the_consumer_that_committed_longest_ago() -> None:
    unread = lane(0, 0, 0)
    for each in range(3):
        place(unread, each, 9)
    for committed in ({1: 3}, {1: 3, 2: 3}, {0: 3, 1: 3, 2: 3}):
        measure(unread, committed)
    assert [unread.second(each) for each in range(3)] == [(1,), (2,), (1,)]
    measure(unread, {0: 3, 1: 6, 2: 3})
    assert [unread.second(each) for each in range(3)] == [(2,), (2,), (0,)]


def test_a_copy_goes_anywhere_else_while_no_commit_was_seen_and_nowhere_where_there_is_one_partition() -> None:
    assert [lane(0, 0).second(each) for each in range(2)] == [(1,), (0,)]
    assert lane(0).second(0) == ()


def test_where_partitions_are_not_known_none_is_chosen() -> None:
    assert Unread().spread(3) is None
