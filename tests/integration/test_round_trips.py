"""Work after accept is batched: how many times the pipeline crosses the network for a thousand deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis import Redis

from bench.round_trips import counted
from faults.spec import Addresses
from local.kafka_broker import create_topics
from local.topics import local_topics
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.routing import Channel, Lane, Priority
from nofy.pipeline.accept import accept
from nofy.runtime import clock
from tests.contract.stores import as_role
from tests.fakes import FakeSender

if TYPE_CHECKING:
    from tests.contract.stores import PostgresBackend

THOUSAND = 1_000
MOST = 40
LANE = Lane(Channel.SLACK, Priority.NORMAL)


@pytest.fixture(scope="module")
def topics(kafka_bootstrap: str) -> str:
    create_topics(kafka_bootstrap, local_topics())
    return kafka_bootstrap


def test_a_thousand_deliveries_of_a_busy_lane_cross_the_network_at_most_forty_times(
    postgres: PostgresBackend, redis_url: str, topics: str
):
    project = postgres.project()
    # Its limiter is asked, and lets all of a thousand to one channel through.
    limits = '{"limits": {"integration": {"per_second": 1000, "burst": 1000}, "destination": null}}'
    postgres.superuser.run("UPDATE integrations SET settings = settings || %(limits)s", {"limits": limits})
    with Redis.from_url(redis_url) as emptied:
        emptied.flushall()  # what an earlier test left in the lane would be claimed, and counted, with ours
    schedule = RedisSchedule(redis_url, timeout=5)
    for _ in range(THOUSAND // 100):
        planned = [project.plan(Channel.SLACK) for _ in range(100)]
        accept(project.principal, planned, None, store=postgres.acceptances, schedule=schedule, clock=clock.now)
    schedule.close()

    sender = FakeSender()
    roles = (as_role(postgres.owner_dsn, each) for each in ("nofy_api", "nofy_pipeline"))
    addresses = Addresses(*roles, redis_url, topics, provider="", kafka_reports_lag=True)
    trips = counted(addresses, LANE, sender, THOUSAND)

    assert len(sender.ledger) == THOUSAND
    assert postgres.superuser.run("SELECT status, count(*) FROM deliveries GROUP BY 1") == [("sent", THOUSAND)]
    assert sum(trips.values()) <= MOST, trips
