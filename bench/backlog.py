"""Deliveries that are due and wait, by the hundred thousand: made in PostgreSQL and indexed as a sweep indexes them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from nofy.adapters.postgres.database import Database
from nofy.adapters.postgres.upkeep import PostgresUpkeep
from nofy.adapters.redis.schedule import RedisSchedule
from nofy.domain.routing import PROVIDER_OF
from nofy.runtime import clock

if TYPE_CHECKING:
    from bench.machine import Machine, Project
    from nofy.domain.routing import Lane

# Ids as the producer makes them: UUIDv7, in this week's partition.
ROWS = """
INSERT INTO deliveries (
    id, notification_id, project_id, integration_id, channel, provider, priority, live, destination, content,
    delivery_mode, expires_at, status, due_at, created_at, changed_at
)
SELECT
    (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + n %% 1000), 12, '0')
        || '7' || substr(md5(%(project)s::text || n), 1, 3) || '8' || substr(md5(%(project)s::text || n), 5, 15))::uuid,
    gen_random_uuid(), %(project)s, i.id, i.channel, i.provider, %(priority)s, true, 'backlog-' || n || '@example.com',
    jsonb_build_object('subject', 'Backlog', 'text', 'says bench-' || n, 'html', '<p>Backlog</p>'), 'at_least_once',
    now() + interval '1 day',
    'scheduled', now() - interval '1 second', now(), now()
FROM generate_series(%(first)s, %(last)s) AS n
JOIN integrations i ON i.project_id = %(project)s AND i.channel = %(channel)s AND i.provider = %(provider)s
"""
FIRST = 10_000_000  # numbers that nothing else has
PAGE = 5_000


def fill(machine: Machine, project: Project, lane: Lane, count: int) -> None:
    machine.query(
        ROWS,
        project=project.project_id,
        channel=lane.channel,
        provider=PROVIDER_OF[lane.channel],
        priority=lane.priority,
        first=FIRST,
        last=FIRST + count - 1,
    )
    machine.query("ANALYZE deliveries")
    database = Database(machine.addresses.postgres_pipeline, application="bench-backlog")
    with closing(database), closing(RedisSchedule(machine.addresses.redis, timeout=5.0)) as schedule:
        upkeep, now = PostgresUpkeep(database), clock.now()
        page = upkeep.waiting_between(None, now, PAGE)
        while page:
            schedule.add(page, now)
            page = upkeep.waiting_between(page[-1], now, PAGE)
