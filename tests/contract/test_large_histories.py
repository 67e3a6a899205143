"""What a batch costs PostgreSQL does not grow with what waits: rows are looked up by their keys. Counted, not timed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.pipeline import PostgresDispatches, PostgresLeases, PostgresOutcomes
from nofy.domain.delivery import Fence, Report, fold
from nofy.domain.outcomes import Accepted, Unknown
from nofy.domain.records import QueueRecord
from nofy.domain.retry import Done
from nofy.domain.routing import Channel
from nofy.ports.store import Queued
from tests.contract.stories import LEASE_SECONDS
from tests.fakes import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.stores import PostgresBackend

WAITING, BATCH = 30_000, 500
# Ids as the producer makes them, in this week's partition; due in an hour.
FILL = """
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 5, 15))::uuid,
    d.notification_id, d.project_id, d.integration_id, d.channel, d.provider, d.priority, true, 'ada@example.com',
    '{"text": "waits"}', d.delivery_mode, d.expires_at, 'scheduled', now() + interval '1 hour', now(), now()
FROM (SELECT * FROM deliveries LIMIT 1) AS d, generate_series(1, %(count)s) AS n
"""

# What a server that ran with auto_explain would log of every statement, those within functions too, told to the client.
EXPLAINED = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_format = json;
SET auto_explain.log_level = notice;
"""
# A session takes on the settings of the role it signs in as, and not those of the one it becomes.
AS_PIPELINE = """
SELECT set_config(split_part(each, '=', 1), split_part(each, '=', 2), false)
FROM pg_roles, unnest(rolconfig) AS each WHERE rolname = 'nofy_pipeline';
SET ROLE nofy_pipeline;
"""


class Explaining(Database):
    """Runs statements as the pipeline's role, and keeps how many rows the busiest step of any of them has read."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, application="contract-explaining")
        self.busiest = 0
        super().run(EXPLAINED + AS_PIPELINE)

    def run(self, text: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        told = self._connection.notices
        told.clear()
        rows = super().run(text, parameters)
        plans = [json.loads(each[each.index("{") :])["Plan"] for each in told if "plan:" in each]
        assert plans, "nothing was explained"
        self.busiest = max(_read(step) for each in plans for step in _steps(each))
        return rows


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from _steps(each)


def _read(step: dict[str, Any]) -> int:
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    return int(step["Actual Loops"] * (step["Actual Rows"] + sum(step.get(each, 0) for each in removed)))


@pytest.fixture
def fences(postgres: PostgresBackend) -> list[Fence]:
    """A batch that is due, among many that are not."""
    found = _filled(postgres)
    postgres.superuser.run("ANALYZE deliveries")
    return found


def _filled(postgres: PostgresBackend) -> list[Fence]:
    project = postgres.project()
    planned = [project.plan(Channel.EMAIL) for _ in range(BATCH)]
    postgres.acceptances.accept(project.principal, planned, None)
    postgres.superuser.run(FILL, {"count": WAITING})
    return [Fence(each.deliveries[0].delivery_id, 1, each.send_at) for each in planned]


@pytest.fixture
def explaining(postgres: PostgresBackend) -> Iterator[Explaining]:
    database = Explaining(postgres.superuser_dsn)
    yield database
    database.close()


def test_a_turn_of_the_dispatcher_reads_its_batch(postgres, fences: list[Fence], explaining: Explaining) -> None:
    dispatches = PostgresDispatches(explaining)
    dispatches.waiting([each.delivery_id for each in fences])
    assert explaining.busiest <= 2 * BATCH
    dispatches.mark_queued([Queued(each, 0, offset) for offset, each in enumerate(fences)])
    assert explaining.busiest <= 2 * BATCH
    dispatches.expire(fences)
    assert explaining.busiest <= 2 * BATCH


def test_a_lease_reads_its_batch(postgres, fences: list[Fence], explaining: Explaining) -> None:
    PostgresLeases(explaining).lease([QueueRecord(each, NOON) for each in fences], LEASE_SECONDS)
    assert explaining.busiest <= 2 * BATCH


def test_a_plan_that_was_kept_since_a_week_was_empty_reads_its_batch(
    postgres: PostgresBackend, explaining: Explaining
) -> None:
    for table in ("deliveries", "attempts", "integrations"):
        postgres.superuser.run(f"VACUUM ANALYZE {table}")
    leases = PostgresLeases(explaining)
    leases.lease([QueueRecord(Fence(uuid4(), 1, NOON), NOON)], LEASE_SECONDS)
    leased = leases.lease([QueueRecord(each, NOON) for each in _filled(postgres)], LEASE_SECONDS)
    assert len(leased) == BATCH
    assert explaining.busiest <= 2 * BATCH


def test_acks_read_their_batch(postgres: PostgresBackend, fences: list[Fence], explaining: Explaining) -> None:
    postgres.leases.lease([QueueRecord(each, NOON) for each in fences], LEASE_SECONDS)
    reports = [Report(each.delivery_id, 1, Accepted("m"), Done(), NOON, 1) for each in fences]
    states = postgres.outcomes.states([each.delivery_id for each in fences])
    PostgresOutcomes(explaining).states(list(states))
    assert explaining.busiest <= 2 * BATCH
    PostgresOutcomes(explaining).apply([fold(states[each.delivery_id], [each]) for each in reports])
    assert explaining.busiest <= 2 * BATCH


def test_reports_that_kafka_would_not_take_read_their_batch(
    postgres: PostgresBackend, fences: list[Fence], explaining: Explaining
) -> None:
    postgres.leases.lease([QueueRecord(each, NOON) for each in fences], LEASE_SECONDS)
    reports = [Report(each.delivery_id, 1, Unknown("nobody answered"), Done(), NOON, 1) for each in fences]
    PostgresLeases(explaining).keep_reports(reports)
    assert explaining.busiest <= 2 * BATCH
