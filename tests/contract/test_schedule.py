"""The index of what is due: the same cases on memory and on Redis, and what only a real Redis can show."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import redis as redis_client

from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.errors import ScheduleUnavailableError, SignInError
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.domain.timing import CLAIM_LEASE
from nofy.ports.schedule import Claim, Entry, Schedule, Turn
from tests.fakes import NOON, ManualClock, MemorySchedule

SLACK = Lane(Channel.SLACK, Priority.HIGH)
EMAIL = Lane(Channel.EMAIL, Priority.LOW)
ONE, OTHER = UUID(int=1 << 100), UUID(int=2 << 100)
MILLISECOND = timedelta(milliseconds=1)
LEASE = timedelta(seconds=CLAIM_LEASE)


def ids(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(1, count + 1)]


def entries(*due_in: float, lane: Lane = SLACK, project: UUID = ONE) -> list[Entry]:
    moments = [NOON + timedelta(seconds=each) for each in due_in]
    return [Entry(lane, project, each, moment) for each, moment in zip(ids(len(due_in)), moments, strict=True)]


class Index:
    """A schedule under test, and how to look at it."""

    def __init__(self, schedule: Schedule, wipe, clock=time.monotonic) -> None:
        self.schedule, self.wipe, self._clock = schedule, wipe, clock

    def claim(self, at: datetime = NOON, limit: int = 10, run_id: str = "run-1", lanes=LANES) -> Turn:
        return self.schedule.claim(dict.fromkeys(lanes, limit), at, run_id)

    def claimed(self, at: datetime = NOON, limit: int = 10) -> list[UUID]:
        return [each for claim in self.claim(at, limit).claims for each in claim.ids]

    def slept(self, seconds: float) -> float:
        before = self._clock()
        self.schedule.sleep(seconds)
        return self._clock() - before


def on_redis(url: str, *, cluster: bool = False) -> Iterator[Index]:
    client = redis_client.Redis.from_url(url)
    client.flushall()
    schedule = RedisSchedule(url, timeout=3, cluster=cluster)
    yield Index(schedule, client.flushall)
    schedule.close()
    client.close()


@pytest.fixture
def real(redis_url: str) -> Iterator[Index]:
    yield from on_redis(redis_url)


@pytest.fixture
def cluster(redis_cluster_url: str) -> Iterator[Index]:
    yield from on_redis(redis_cluster_url, cluster=True)


@pytest.fixture(params=["memory", "real", "cluster"])
def index(request: pytest.FixtureRequest) -> Index:
    if request.param != "memory":
        return request.getfixturevalue(request.param)
    clock = ManualClock()
    schedule = MemorySchedule(clock)
    return Index(schedule, schedule.wipe, lambda: clock().timestamp())


def test_an_empty_index_has_nothing_to_claim(index: Index) -> None:
    assert index.claim() == Turn((), None, newest_run=True)


def test_what_is_due_is_claimed_soonest_first(index: Index) -> None:
    late, soon, later = entries(-1, -3, 60)
    index.schedule.add([late, soon, later], NOON)
    turn = index.claim()
    lease_ms = round((NOON + LEASE).timestamp() * 1_000)
    assert turn.claims == (Claim(SLACK, (soon.delivery_id, late.delivery_id), lease_ms),)
    assert turn.next_due == later.due_at


def test_ties_come_in_the_order_of_their_ids(index: Index) -> None:
    index.schedule.add(reversed(entries(0, 0, 0)), NOON)
    assert index.claimed() == ids(3)


def test_lanes_are_claimed_in_the_order_of_their_limits_and_no_others(index: Index) -> None:
    index.schedule.add([*entries(0), *entries(0, lane=EMAIL)], NOON)
    assert [each.lane for each in index.claim(lanes=[EMAIL]).claims] == [EMAIL]
    index.schedule.add(entries(0, lane=EMAIL), NOON)
    assert [each.lane for each in index.claim(lanes=[SLACK, EMAIL]).claims] == [SLACK, EMAIL]


def test_no_more_is_claimed_of_a_lane_than_its_limit(index: Index) -> None:
    index.schedule.add(entries(-3, -2, -1), NOON)
    assert index.claimed(limit=2) == ids(3)[:2]
    turn = index.claim(limit=0)
    assert turn.claims == ()
    assert turn.next_due
    assert turn.next_due <= NOON
    assert index.claimed(limit=2) == ids(3)[2:]


def test_the_next_due_is_the_soonest_of_all_lanes(index: Index) -> None:
    index.schedule.add([*entries(20), *entries(10, lane=EMAIL)], NOON)
    assert index.claim().next_due == NOON + timedelta(seconds=10)


@pytest.mark.parametrize("microseconds", [0, 1, 999])
def test_nothing_is_claimed_before_its_time_not_even_by_a_millisecond(index: Index, microseconds: int) -> None:
    due = NOON + timedelta(microseconds=microseconds)
    index.schedule.add([Entry(SLACK, ONE, ids(1)[0], due)], NOON)
    assert index.claimed(due - timedelta(microseconds=1)) == []
    assert index.claimed(due + MILLISECOND) == ids(1)


def test_claimed_ids_are_claimed_by_nobody_else(index: Index) -> None:
    index.schedule.add(entries(0), NOON)
    assert index.claimed() == ids(1)
    assert index.claimed(NOON + LEASE - MILLISECOND) == []


def test_what_was_not_released_comes_back_when_its_lease_is_over(index: Index) -> None:
    index.schedule.add(entries(0), NOON)
    index.claim()
    assert index.claimed(NOON + LEASE) == ids(1)
    assert index.claimed(NOON + LEASE) == []  # leased anew
    assert index.claimed(NOON + 2 * LEASE) == ids(1)


def test_what_was_left_behind_goes_before_what_is_due(index: Index) -> None:
    left, *fresh = entries(0, -9, -8)
    index.schedule.add([left], NOON)
    index.claim()
    index.schedule.add(fresh, NOON)
    assert index.claimed(NOON + LEASE, limit=2) == [left.delivery_id, fresh[0].delivery_id]


def test_what_was_released_does_not_come_back(index: Index) -> None:
    index.schedule.add(entries(0, 0), NOON)
    index.schedule.release(index.claim().claims)
    assert index.claimed(NOON + 2 * LEASE) == []


def test_a_slow_run_does_not_release_what_another_holds_by_now(index: Index) -> None:
    index.schedule.add(entries(0), NOON)
    slow = index.claim()
    assert index.claimed(NOON + LEASE) == ids(1)
    index.schedule.release(slow.claims)
    assert index.claimed(NOON + 2 * LEASE) == ids(1)


def test_what_is_put_back_while_it_is_leased_waits_for_its_time(index: Index) -> None:
    index.schedule.add(entries(0), NOON)
    turn = index.claim()
    index.schedule.add(entries(5), NOON)
    index.schedule.release(turn.claims)
    assert index.claimed(NOON + timedelta(seconds=4)) == []
    assert index.claimed(NOON + timedelta(seconds=5)) == ids(1)


def test_the_last_time_given_wins(index: Index) -> None:
    index.schedule.add(entries(5), NOON)
    index.schedule.add(entries(50), NOON)
    assert index.claimed(NOON + timedelta(seconds=49)) == []
    index.schedule.add([*entries(40), *entries(2)], NOON)
    assert index.claimed(NOON + timedelta(seconds=2)) == ids(1)


def test_what_was_removed_is_not_claimed(index: Index) -> None:
    index.schedule.add(entries(0, 0), NOON)
    index.schedule.remove(entries(5))  # whatever its time
    index.schedule.remove(entries(0, 0, lane=EMAIL))
    index.schedule.remove([])
    assert index.claimed() == ids(2)[1:]


def test_thousands_go_in_and_out(index: Index) -> None:
    many = [Entry(SLACK, ONE, UUID(int=number), NOON) for number in range(2_500)]
    index.schedule.add(many, NOON)
    claims = [index.claim(limit=500).claims for _ in range(5)]
    assert sorted(each for (claim,) in claims for each in claim.ids) == [each.delivery_id for each in many]
    index.schedule.release(claim for (claim,) in claims)
    assert index.claimed(NOON + LEASE) == []


def test_adding_and_releasing_nothing(index: Index) -> None:
    index.schedule.add([], NOON)
    index.schedule.release([])


def test_the_newest_run_is_the_one_that_registered_last(index: Index) -> None:
    assert index.claim(run_id="run-1").newest_run
    index.schedule.register("run-1")
    assert index.claim(run_id="run-1").newest_run
    index.schedule.register("run-2")
    assert not index.claim(run_id="run-1").newest_run
    assert index.claim(run_id="run-2").newest_run


def test_after_a_wipe_every_run_goes_on(index: Index) -> None:
    index.schedule.register("run-2")
    index.wipe()
    assert index.claim(run_id="run-1").newest_run


def test_an_epoch_lasts_as_long_as_the_index(index: Index) -> None:
    epoch = index.schedule.epoch()
    index.schedule.add(entries(0), NOON)
    assert index.schedule.epoch() == epoch
    index.wipe()
    assert index.schedule.epoch() != epoch
    assert index.claimed() == []


def test_sleep_returns_when_its_time_is_over(index: Index) -> None:
    assert 0.09 <= index.slept(0.1) < 0.6


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.0004])
def test_no_sleep_is_no_sleep_for_ever(index: Index, seconds: float) -> None:
    assert index.slept(seconds) < 0.2


def test_what_is_due_within_the_sleep_wakes(index: Index) -> None:
    index.schedule.add(entries(1), NOON)
    assert index.slept(1) < 0.3


def test_one_wake_is_one_wake_however_much_came_in(index: Index) -> None:
    for _ in range(3):
        index.schedule.add(entries(0, 0.5), NOON)
    assert index.slept(1) < 0.3
    assert index.slept(0.1) >= 0.09


def test_what_is_due_later_does_not_wake(index: Index) -> None:
    index.schedule.add(entries(1.1), NOON)
    assert index.slept(0.1) >= 0.09


# Redis alone


@pytest.mark.parametrize("server", ["real", "cluster"])
def test_a_short_sleep_is_short_though_redis_has_nothing_to_do(request: pytest.FixtureRequest, server: str) -> None:
    """Redis by itself would end each of them with the next tenth of a second."""
    index = request.getfixturevalue(server)
    index.slept(0.01)  # connected
    assert sum(index.slept(0.01) for _ in range(10)) < 0.5


def test_a_wake_that_comes_between_two_sleeps_ends_the_next(real: Index, redis_url: str) -> None:
    real.slept(0.01)  # asked, and not answered
    producer = RedisSchedule(redis_url, timeout=0.25)
    producer.add(entries(0), NOON)
    producer.close()
    assert real.claimed() == ids(1)
    assert real.slept(1) < 0.3
    assert real.slept(0.1) >= 0.09


def test_a_sleeping_run_is_woken_by_somebody_else(real: Index, redis_url: str) -> None:
    producer = RedisSchedule(redis_url, timeout=0.25)
    timer = threading.Timer(0.2, lambda: producer.add(entries(0), NOON))
    timer.start()
    assert 0.15 < real.slept(2) < 1
    timer.join()
    producer.close()


def test_members_are_sixteen_bytes_and_a_lanes_keys_share_one_hash_tag(real: Index, redis_url: str) -> None:
    real.schedule.add([*entries(0, 5), *entries(0, 5, lane=EMAIL, project=OTHER)], NOON)
    real.claim()
    with redis_client.Redis.from_url(redis_url) as client:
        keys = {key.decode() for key in client.keys("*") if client.type(key) == b"zset"}
        members = {len(member) for key in keys if "heads" not in key for member in client.zrange(key, 0, -1)}
    assert members == {16}
    names = {f"due:{ONE.hex}", "heads", "leased"}, {f"due:{OTHER.hex}", "heads", "leased"}
    assert keys == {
        f"nofy:{{{lane.name}}}:{name}" for lane, of_lane in zip((SLACK, EMAIL), names, strict=True) for name in of_lane
    }


@pytest.mark.parametrize("server", ["real", "cluster"])
def test_adding_and_releasing_are_one_trip_each_and_a_claim_one_more_where_something_is_due(
    request: pytest.FixtureRequest, server: str
) -> None:
    index = request.getfixturevalue(server)
    index.claim()
    assert index.schedule.trips == 1
    index.schedule.trips = 0
    index.schedule.add([Entry(lane, ONE, UUID(int=n), NOON) for lane in LANES for n in range(20)], NOON)
    assert index.schedule.trips == 1
    turn = index.claim()
    assert index.schedule.trips == 3
    index.schedule.release(turn.claims)
    assert index.schedule.trips == 4


OPERATIONS = {
    "add": lambda schedule: schedule.add(entries(0), NOON),
    "register": lambda schedule: schedule.register("run-1"),
    "claim": lambda schedule: schedule.claim({SLACK: 10}, NOON, "run-1"),
    "release": lambda schedule: schedule.release([Claim(SLACK, tuple(ids(1)), 1)]),
    "remove": lambda schedule: schedule.remove(entries(0)),
    "sleep": lambda schedule: schedule.sleep(0.1),
    "epoch": lambda schedule: schedule.epoch(),
}


@pytest.mark.parametrize("cluster", [False, True])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_redis_that_is_not_there_is_unavailable_at_once(operation: str, cluster: bool) -> None:
    schedule = RedisSchedule("redis://127.0.0.1:1/0", timeout=0.25, cluster=cluster)
    began = time.monotonic()
    with pytest.raises(ScheduleUnavailableError):
        OPERATIONS[operation](schedule)
    assert time.monotonic() - began < 1


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@pytest.mark.parametrize("cluster", [False, True])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_redis_that_never_answers_is_unavailable_within_a_second(
    operation: str, cluster: bool, black_hole: str
) -> None:
    schedule = RedisSchedule(black_hole, timeout=0.25, cluster=cluster)
    began = time.monotonic()
    with pytest.raises(ScheduleUnavailableError):
        OPERATIONS[operation](schedule)
    assert time.monotonic() - began < 1
    schedule.close()


def test_a_redis_that_falls_silent_is_unavailable_and_usable_again_afterwards(redis_url: str) -> None:
    schedule = RedisSchedule(redis_url, timeout=0.25)
    with redis_client.Redis.from_url(redis_url) as client:
        client.flushall()
        schedule.add(entries(0), NOON)
        client.client_pause(600, all=True)
        with pytest.raises(ScheduleUnavailableError):
            schedule.claim({SLACK: 10}, NOON, "run-1")
        time.sleep(0.5)
        client.client_unpause()
    # What was asked during the silence was done all the same, and its answer must not be taken for the next one.
    turn = schedule.claim({SLACK: 10}, NOON + LEASE, "run-1")
    assert [each for claim in turn.claims for each in claim.ids] == ids(1)
    schedule.close()


# Signing in, and connections that are cut (ElastiCache does it to IAM users after twelve hours)


@pytest.fixture(params=[False, True], ids=["real", "cluster"])
def signed_in(request: pytest.FixtureRequest) -> Iterator[tuple[RedisSchedule, redis_client.Redis, list[str]]]:
    """A schedule whose passwords run from 1 upwards, a client that is somebody else, and the passwords so far."""
    url = request.getfixturevalue("redis_cluster_url" if request.param else "redis_url")
    given: list[str] = []

    def password() -> str:
        given.append(str(len(given) + 1))
        return given[-1]

    with redis_client.Redis.from_url(url) as other:
        other.flushall()
        other.acl_setuser("functions", enabled=True, reset=True, keys=["nofy:*"], categories=["+@all"], nopass=True)
        schedule = RedisSchedule(
            url.replace("//", "//functions@"), timeout=0.25, password=password, cluster=request.param
        )
        yield schedule, other, given
        schedule.close()
        other.acl_deluser("functions")


def test_whoever_signs_in_is_the_user_of_the_address(signed_in) -> None:
    schedule, other, given = signed_in
    schedule.register("run-1")
    assert given
    assert "functions" in {each["user"] for each in other.client_list()}


def test_a_connection_that_was_cut_is_made_again_with_another_password(signed_in) -> None:
    schedule, other, given = signed_in
    schedule.add(entries(0), NOON)
    before = len(given)
    assert other.client_kill_filter(user="functions") >= 1
    assert schedule.claim({SLACK: 10}, NOON, "run-1").claims
    assert len(given) == before + 1


def test_who_is_refused_or_cannot_sign_has_no_schedule_for_now(signed_in, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule, other, _ = signed_in
    other.acl_setuser("functions", enabled=True, reset_passwords=True, passwords=["+the right one"])
    with pytest.raises(ScheduleUnavailableError):
        schedule.register("run-1")

    def nobody() -> str:
        raise SignInError("no credentials")

    monkeypatch.setattr(schedule._connection, "_password", nobody)
    with pytest.raises(ScheduleUnavailableError, match="no credentials"):
        schedule.register("run-1")
    monkeypatch.setattr(schedule._connection, "_password", lambda: "the right one")
    schedule.register("run-1")


def test_a_cluster_that_moved_a_slot_is_looked_at_anew(cluster: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.schedule.add(entries(0), NOON)
    connection = cluster.schedule._connection
    looked = connection._client
    wrong = redis_client.exceptions.MovedError("1 127.0.0.1:1")
    monkeypatch.setattr(redis_client.client.Pipeline, "execute", lambda _: (_ for _ in ()).throw(wrong))
    with pytest.raises(ScheduleUnavailableError):
        cluster.claim()
    monkeypatch.undo()
    assert cluster.claimed() == ids(1)
    assert connection._client is not looked


def test_moments_before_1970_do_not_confuse(index: Index) -> None:
    ancient = Entry(SLACK, ONE, ids(1)[0], datetime(1969, 12, 31, tzinfo=UTC))
    index.schedule.add([ancient], NOON)
    assert index.claimed() == ids(1)


def test_a_redis_that_is_full_is_unavailable(real: Index, redis_url: str) -> None:
    with redis_client.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(ScheduleUnavailableError):
                real.schedule.add(entries(0), NOON)
        finally:
            client.config_set("maxmemory", 0)
    real.schedule.add(entries(0), NOON)
    assert real.claimed() == ids(1)
