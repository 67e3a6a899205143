"""Turns within a lane: who shares it with whom and how much each gets, on memory and on Redis alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
import redis as redis_client
from hypothesis import given, settings
from hypothesis import strategies as st

from nofy.adapters.redis import schedule as in_redis
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.routing import Channel, Lane, Priority
from nofy.domain.timing import CLAIM_LEASE
from nofy.ports.schedule import EQUAL, NOBODY, Entry, Schedule, Turn
from tests.fakes import NOON, ManualClock, MemorySchedule

LANE = Lane(Channel.EMAIL, Priority.LOW)
LEASE = timedelta(seconds=CLAIM_LEASE)
SERVERS = ["memory", "real", "cluster"]


def project(number: int) -> UUID:
    return UUID(int=number << 96 | 7 << 76 | 2 << 62)


A, B = project(1), project(2)


class Shared:
    """One lane, and who was given how much of it."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._numbers = count(1)
        self._owners: dict[UUID, UUID] = {}

    def add(self, owner: UUID, ids: int, *, at: datetime = NOON) -> list[Entry]:
        """So many more of a project."""
        entries = [Entry(LANE, owner, UUID(int=next(self._numbers)), at) for _ in range(ids)]
        self._owners |= {each.delivery_id: owner for each in entries}
        self.schedule.add(entries, NOON)
        return entries

    def turn(
        self, limit: int, weights: Mapping[UUID, int] = EQUAL, at: datetime = NOON, *, without: Sequence[UUID] = ()
    ) -> Turn:
        passed_over = {LANE: without} if without else NOBODY
        return self.schedule.claim({LANE: limit}, at, "run", weights, passed_over)

    def order(self, limit: int, weights: Mapping[UUID, int] = EQUAL, at: datetime = NOON) -> list[UUID]:
        """Whom the ids of one claim belong to."""
        return [self._owners[each] for claim in self.turn(limit, weights, at).claims for each in claim.ids]

    def shares(self, limit: int, weights: Mapping[UUID, int] = EQUAL, at: datetime = NOON) -> Counter[UUID]:
        return Counter(self.order(limit, weights, at))


@pytest.fixture
def real(redis_url: str) -> Iterator[Shared]:
    yield from _emptied(redis_url)


@pytest.fixture
def cluster(redis_cluster_url: str) -> Iterator[Shared]:
    yield from _emptied(redis_cluster_url, cluster=True)


def _emptied(url: str, *, cluster: bool = False) -> Iterator[Shared]:
    schedule = RedisSchedule(url, timeout=5, cluster=cluster)
    with redis_client.Redis.from_url(url) as client:
        client.flushall()
    yield Shared(schedule)
    schedule.close()


@pytest.fixture(params=SERVERS)
def shared(request: pytest.FixtureRequest) -> Shared:
    return (
        Shared(MemorySchedule(ManualClock())) if request.param == "memory" else request.getfixturevalue(request.param)
    )


def keys(url: str) -> set[str]:
    """What is left of the lane, by the names of its keys."""
    with redis_client.Redis.from_url(url) as client:
        return {each.decode().rpartition("}:")[2] for each in client.keys("nofy:{*")}


# Shares


def test_one_busy_project_takes_the_whole_limit(shared: Shared) -> None:
    shared.add(A, 30)
    assert shared.shares(20) == {A: 20}
    assert shared.shares(20) == {A: 10}


def test_two_busy_projects_share_evenly_and_by_turns(shared: Shared) -> None:
    shared.add(A, 100)
    shared.add(B, 100)
    assert shared.order(6) == [A, B, A, B, A, B]
    assert shared.shares(50) == {A: 25, B: 25}


def test_who_weighs_three_times_as_much_gets_three_times_as_much(shared: Shared) -> None:
    shared.add(A, 200)
    shared.add(B, 200)
    assert sum((shared.shares(20, {A: 3}) for _ in range(5)), Counter()) == {A: 75, B: 25}


def test_a_weight_counts_from_the_next_claim_on(shared: Shared) -> None:
    shared.add(A, 200)
    shared.add(B, 200)
    assert shared.shares(40) == {A: 20, B: 20}
    assert shared.shares(40, {B: 3}) == {A: 10, B: 30}


def test_what_one_does_not_need_is_for_the_others(shared: Shared) -> None:
    shared.add(A, 3)
    shared.add(B, 100)
    shared.add(project(3), 100)
    assert shared.shares(43) == {A: 3, B: 20, project(3): 20}


def test_a_project_keeps_its_own_order(shared: Shared) -> None:
    late = shared.add(A, 2, at=NOON - timedelta(seconds=1))
    soon = shared.add(A, 2, at=NOON - timedelta(seconds=2))
    shared.add(B, 4)
    (claim,) = shared.turn(8).claims
    assert [each for each in claim.ids if shared._owners[each] == A] == [each.delivery_id for each in [*soon, *late]]


def test_a_quiet_project_behind_a_hundred_thousand_of_another_is_at_the_front_of_the_next_claim(
    shared: Shared,
) -> None:
    shared.add(A, 100_000, at=NOON - timedelta(minutes=10))
    assert shared.shares(500) == {A: 500}
    shared.add(B, 1)
    assert B in shared.order(500)[:2]


def test_a_thousand_idle_projects_take_nothing_from_a_busy_one(shared: Shared) -> None:
    for number in range(1_000):
        shared.add(project(10 + number), 1, at=NOON + timedelta(seconds=9))
    shared.add(A, 600)
    assert shared.shares(500) == {A: 500}
    assert sum(len(shared.order(500, at=NOON + timedelta(seconds=9))) for _ in range(12)) == 1_100


@pytest.mark.parametrize(("projects", "limit"), [(7, 2), (50, 10), (100, 99), (30, 1)])
def test_with_fewer_places_than_projects_everybody_is_served_in_as_many_claims_as_it_takes(
    shared: Shared, projects: int, limit: int
) -> None:
    for number in range(projects):
        shared.add(project(number), 100)
    turns = [shared.order(limit) for _ in range(math.ceil(projects / limit))]
    assert len({owner for order in turns for owner in order}) == projects
    served = Counter(owner for _ in range(3 * projects) for owner in shared.order(limit))
    assert max(served.values()) - min(served.values()) <= 2


def test_of_more_projects_than_one_claim_serves_everybody_comes_soon(shared: Shared) -> None:
    projects = 2 * in_redis.MOST_PROJECTS + 1
    for number in range(projects):
        shared.add(project(number), 50)
    shares = sum((shared.shares(500) for _ in range(3)), Counter())
    assert len(shares) == projects
    assert max(shares.values()) <= 2 * math.ceil(500 / in_redis.MOST_PROJECTS)


def test_who_is_passed_over_waits_and_the_others_need_not(shared: Shared) -> None:
    shared.add(A, 50)
    shared.add(B, 5)
    (claim,) = shared.turn(10, without=[A]).claims
    assert [shared._owners[each] for each in claim.ids] == [B] * 5
    assert shared.shares(10) == {A: 10}


def test_who_is_passed_over_is_not_what_to_look_for_again(shared: Shared) -> None:
    shared.add(A, 5)
    shared.add(B, 1, at=NOON + timedelta(seconds=3))
    turn = shared.turn(10, without=[A])
    assert (turn.claims, turn.next_due) == ((), NOON + timedelta(seconds=3))
    assert shared.turn(10, without=[A, B]).claims == ()
    assert shared.shares(10) == {A: 5}


# Time


def test_an_idle_project_has_saved_up_nothing(shared: Shared) -> None:
    shared.add(A, 1_000)
    shared.add(B, 1)
    for _ in range(5):
        shared.order(100)
    shared.add(B, 100)
    assert shared.shares(100) == {A: 50, B: 50}


def test_an_idle_project_owes_nothing_once_the_others_caught_up(shared: Shared) -> None:
    shared.add(B, 500)
    shared.order(500)
    shared.add(A, 1_000)
    shared.add(B, 100)
    assert shared.shares(100) == {A: 50, B: 50}


def test_who_comes_and_goes_is_given_no_more_than_who_stays(shared: Shared) -> None:
    shared.add(A, 1_000)
    given_: Counter[UUID] = Counter()
    for _ in range(40):
        shared.add(B, 1)
        given_ += shared.shares(1)
    assert abs(given_[A] - given_[B]) <= 1


def test_what_was_left_behind_comes_first_and_is_nobodys_turn(shared: Shared) -> None:
    shared.add(A, 10)
    assert shared.shares(10) == {A: 10}
    shared.add(B, 100)
    shared.add(A, 100)
    assert shared.order(30, at=NOON + LEASE)[:10] == [A] * 10
    assert shared.shares(20, at=NOON + LEASE) == {A: 10, B: 10}


# What is moved and removed


def test_a_head_that_was_removed_or_moved_keeps_nobody_waiting(shared: Shared) -> None:
    gone, moved = shared.add(A, 2)
    kept = shared.add(A, 1, at=NOON + timedelta(seconds=5))
    shared.schedule.remove([gone])
    shared.schedule.add([Entry(LANE, A, moved.delivery_id, NOON + timedelta(seconds=9))], NOON)
    shared.add(B, 1)
    assert shared.order(10) == [B]
    turn = shared.turn(10)
    assert (turn.claims, turn.next_due) == ((), kept[0].due_at)
    assert shared.order(10, at=NOON + timedelta(seconds=5)) == [A]
    assert shared.order(10, at=NOON + timedelta(seconds=9)) == [A]


def test_a_project_whose_every_id_was_cancelled_is_nobody_any_more(shared: Shared) -> None:
    shared.schedule.remove(shared.add(A, 5))
    turn = shared.turn(10)
    assert (turn.claims, turn.next_due) == ((), None)


def test_what_is_put_back_keeps_its_projects_place(shared: Shared) -> None:
    shared.add(A, 20)
    shared.add(B, 20)
    first = shared.turn(10)
    back = [
        Entry(LANE, shared._owners[each], each, NOON + timedelta(seconds=1)) for c in first.claims for each in c.ids
    ]
    shared.schedule.add(back, NOON)
    assert shared.shares(40, at=NOON + timedelta(seconds=1)) == {A: 20, B: 20}


# Histories


@dataclass(frozen=True)
class Step:
    """So many ids of a project come in, or a claim of so many is made."""

    owner: UUID | None
    number: int


WEIGHTS = st.dictionaries(st.sampled_from([project(n) for n in range(5)]), st.sampled_from([1, 2, 3, 7, 100]))
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.sampled_from([project(n) for n in range(5)]), st.integers(1, 40)),
        st.builds(Step, st.none(), st.integers(1, 30)),
    ),
    min_size=1,
    max_size=40,
)


class Ledger:
    """Who was given what in each claim, and who had more due than that."""

    def __init__(self) -> None:
        self._waiting: Counter[UUID] = Counter()
        self._claims: list[tuple[Counter[UUID], frozenset[UUID]]] = []

    def add(self, owner: UUID, ids: int) -> None:
        self._waiting[owner] += ids

    def claimed(self, shares: Counter[UUID], limit: int) -> None:
        waiting = self._waiting.total()
        assert shares.total() <= limit
        assert shares, f"{waiting} wait, and none was claimed" if waiting else True
        self._waiting -= shares
        self._claims.append((shares, frozenset(self._waiting)))

    def widest(self, one: UUID, other: UUID, weights: Mapping[UUID, int]) -> float:
        """The largest difference of what two were given by weight, over any claims in which both stayed busy."""
        widest, since = 0.0, [0.0]
        for shares, busy in self._claims:
            if not {one, other} <= busy:
                since = [0.0]
                continue
            ahead = since[-1] + shares[one] / weights.get(one, 1) - shares[other] / weights.get(other, 1)
            widest = max(widest, *(abs(ahead - each) for each in since))
            since.append(ahead)
        return widest


def told(shared: Shared, steps: list[Step], weights: Mapping[UUID, int]) -> tuple[Ledger, list[list[UUID]]]:
    ledger, orders = Ledger(), []
    for step in steps:
        if step.owner:
            shared.add(step.owner, step.number)
            ledger.add(step.owner, step.number)
        elif ledger._waiting:
            orders.append(shared.order(step.number, weights))
            ledger.claimed(Counter(orders[-1]), step.number)
    return ledger, orders


def unfair(ledger: Ledger, weights: Mapping[UUID, int], quantum: float) -> list[tuple[UUID, UUID, float]]:
    """Pairs whose difference is more than one id by the weight of each, and a quantum."""
    return [
        (one, other, widest)
        for one in map(project, range(5))
        for other in map(project, range(5))
        if one < other
        and (widest := ledger.widest(one, other, weights))
        > quantum + 1 / weights.get(one, 1) + 1 / weights.get(other, 1) + 1e-9
    ]


@settings(max_examples=150, deadline=None, database=None)
@given(steps=STEPS, weights=WEIGHTS)
def test_while_two_stay_busy_what_they_are_given_differs_by_one_id_of_each(
    redis_url: str, steps: list[Step], weights: Mapping[UUID, int]
) -> None:
    told_by = [Shared(MemorySchedule(ManualClock())), *_emptied(redis_url)]
    (ledger, in_memory), (_, really) = (told(each, steps, weights) for each in told_by)
    assert in_memory == really
    assert unfair(ledger, weights, 0) == []


@settings(max_examples=100, deadline=None, database=None)
@given(steps=STEPS, weights=WEIGHTS)
def test_with_more_projects_than_a_claim_serves_it_differs_by_a_quantum_more(
    redis_url: str, steps: list[Step], weights: Mapping[UUID, int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_redis, "MOST_PROJECTS", 2)
        (shared,) = _emptied(redis_url)
        ledger, _ = told(shared, steps, weights)
    limit = max((each.number for each in steps if not each.owner), default=0)
    assert unfair(ledger, weights, limit) == []


# Redis alone: overlapping dispatchers, and what is left behind


def test_of_two_dispatchers_whose_claims_overlap_each_id_goes_to_one(real: Shared, redis_url: str) -> None:
    """One has looked when the other takes everything: what it saw is stale, and it takes what has come since."""
    first, second = real, RedisSchedule(redis_url, timeout=5)
    first.add(A, 10)
    first.add(B, 10)
    take, stolen = first.schedule._take, []

    def late(*arguments: object) -> object:
        stolen.append(second.claim({LANE: 100}, NOON, "other"))
        first.add(A, 5)
        return take(*arguments)

    first.schedule._take = late
    assert first.turn(100).claims == ()
    assert [len(claim.ids) for turn in stolen for claim in turn.claims] == [20]
    first.schedule._take = take
    assert first.shares(100) == {A: 5}
    second.close()


def test_who_was_passed_while_it_claimed_does_not_get_ahead_of_whom_it_did_not_see(
    real: Shared, redis_url: str
) -> None:
    real.add(A, 1_000)
    assert real.shares(100) == {A: 100}
    take = real.schedule._take
    other = RedisSchedule(redis_url, timeout=5)

    def late(*arguments: object) -> object:
        real.add(B, 1_000)
        other._peek([LANE], round(NOON.timestamp() * 1_000))
        return take(*arguments)

    real.schedule._take = late
    assert real.shares(100) == {A: 100}  # it saw nobody else
    real.schedule._take = take
    assert real.shares(200) == {A: 50, B: 150}
    other.close()


def test_a_dispatcher_that_dies_between_its_trips_leaves_everything_claimable(real: Shared) -> None:
    real.add(A, 3)
    real.schedule._peek([LANE], round(NOON.timestamp() * 1_000))
    assert real.shares(10) == {A: 3}


def test_heads_that_come_after_a_claim_took_their_ids_are_mended(real: Shared, redis_url: str) -> None:
    real.add(A, 3)
    real.shares(3)
    with redis_client.Redis.from_url(redis_url) as client:
        client.zadd(f"nofy:{{{LANE.name}}}:heads", {A.hex: 0})
    assert real.turn(10).next_due is None
    assert keys(redis_url) == {"leased"}


def test_nothing_of_an_idle_project_stays(real: Shared, redis_url: str) -> None:
    real.schedule.remove(real.add(project(9), 1, at=NOON + timedelta(seconds=1)))
    for number in range(20):
        real.add(project(number), 1 + number)
    turns = [real.turn(30) for _ in range(8)]
    for each in turns:
        real.schedule.release(each.claims)
    assert real.turn(10, at=NOON + timedelta(seconds=1)).next_due is None
    assert keys(redis_url) == set()


def test_who_has_left_is_remembered_only_while_others_are_behind_it(real: Shared, redis_url: str) -> None:
    real.add(A, 1_000)
    for number in range(10, 60):
        real.add(project(number), 1)
        real.order(20)
    with redis_client.Redis.from_url(redis_url) as client:
        assert client.zcard(f"nofy:{{{LANE.name}}}:served") <= 1


def test_a_new_epoch_lets_go_of_the_layout_before_this_one(real: Shared, redis_url: str) -> None:
    with redis_client.Redis.from_url(redis_url) as client:
        client.zadd(f"nofy:{{{LANE.name}}}:due", {b"1" * 16: 1})
        client.set("nofy:epoch", "long ago")
        real.schedule.epoch()
        assert client.keys("nofy:*") == [b"nofy:epoch:by-project"]
